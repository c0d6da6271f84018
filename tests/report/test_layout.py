from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from runs import small_run

from spetrace.report.comparison import compare
from spetrace.report.layout import lay_out


def _groups():
    return compare(small_run()).scopes[0].groups


def test_groups_share_a_table_where_they_fit() -> None:
    assert len(lay_out(_groups(), 1000, 2, 1)) == 1
    titles = [block.titles for block in lay_out(_groups(), 72, 2, 1)]
    assert titles[0] == ["Records"]
    assert len(titles) > 3


@settings(deadline=None, max_examples=60)
@given(st.integers(20, 300), st.integers(1, 4), st.integers(1, 3))
def test_no_column_is_lost_cut_or_parted_from_its_share(width: int, gap: int, share: int) -> None:
    groups = _groups()
    blocks = lay_out(groups, width, gap, share)
    laid = [column for block in blocks for column in block.columns]
    assert [c.cells for c in laid] == [
        tuple(row.cells[i].text for row in group.rows)
        for group in groups
        for i in range(len(group.figures))
    ]
    assert not any(block.columns[0].share for block in blocks)
    widest = max(len(row.label) for row in groups[0].rows) + 2 * gap + share + 30
    if width >= widest:
        assert all(block.room(width, gap, share) >= 0 for block in blocks)
