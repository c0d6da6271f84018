import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.session import refault_attempts
from spetrace.session.refault_attempts import Attempts

faults = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=40)


@settings(deadline=None, max_examples=100)
@given(faults, st.integers(1, 9), st.data())
def test_first_fault_of_a_vcpu_after_each_unmap_of_a_page(rows, batch: int, data) -> None:
    newest: dict[int, int] = {}
    unmaps = []
    for _, page in rows:
        newest[page] = newest.get(page, 0) + data.draw(st.integers(0, 2))
        unmaps.append(newest[page])
    seen: set[tuple[int, int, int]] = set()
    expected = []
    for (vcpu, page), unmap in zip(rows, unmaps, strict=True):
        expected.append((vcpu, page, unmap) not in seen)
        seen.add((vcpu, page, unmap))
    attempts, found = Attempts(), []
    for start in range(0, len(rows), batch):
        part = np.array(rows[start : start + batch], np.int64)
        vcpu, page = part[:, 0].astype(np.int32), part[:, 1]
        found += attempts.are_first(vcpu, page, np.array(unmaps[start : start + batch])).tolist()
    assert found == expected


def test_table_grows() -> None:
    count = 3 * refault_attempts._FEWEST
    attempts = Attempts()
    page, nothing = np.arange(count), np.zeros(count, np.int64)
    for vcpu in (0, 65_535):
        assert attempts.are_first(np.full(count, vcpu, np.int32), page, nothing).all()
        assert not attempts.are_first(np.full(count, vcpu, np.int32), page, nothing).any()
    assert attempts.are_first(np.full(count, 65_535, np.int32), page, nothing + 1).all()
