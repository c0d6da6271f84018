"""The piecewise constant map, against a plain list of pages."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.replay.page_map import PageMap, merged

PAGES = 40
BOUND = st.integers(0, PAGES)
STEPS = st.lists(st.tuples(BOUND, BOUND, st.integers(0, 2), st.booleans()), max_size=30)


@settings(deadline=None)
@given(STEPS)
def test_page_map_equals_list_of_pages(steps: list[tuple[int, int, int, bool]]) -> None:
    pages = [0] * PAGES
    page_map = PageMap(0)
    for first, end, value, assign in steps:

        def change(old: int, value: int = value, assign: bool = assign) -> int:
            return value if assign else (old + value) % 3

        old = pages[first:end]
        pages[first:end] = [change(page) for page in old]
        met = page_map.transform(first, end, change)
        assert [o for n, o, _ in met for _ in range(n)] == old
        assert [new for n, _, new in met for _ in range(n)] == pages[first:end]
        assert [page_map.at(page) for page in range(PAGES)] == pages
        runs = list(page_map.runs(0, PAGES))
        assert [v for a, b, v in runs for _ in range(a, b)] == pages
        assert all(a[2] != b[2] for a, b in itertools.pairwise(runs))


def test_page_map_of_an_address_space_stays_small() -> None:
    page_map = PageMap("unmapped")
    assert page_map.assign(0, 1 << 52, "mapped")
    assert not page_map.assign(5, 1 << 40, "mapped")
    assert list(page_map.runs(0, 1 << 52)) == [(0, 1 << 52, "mapped")]


def test_merged_joins_what_touches_and_drops_what_is_empty() -> None:
    assert merged([(5, 7), (1, 3), (3, 4), (6, 6), (6, 9)]) == [(1, 4), (5, 9)]
