import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.session.page_sets import ADD, ADD_IF_ANY, QUERY, REMOVE, replay_page_set

ranges = st.tuples(st.integers(0, 40), st.integers(0, 40))


def plain(steps, full: bool) -> list[bool]:
    pages = set(range(64)) if full else set()
    seen = []
    for step, (first, end), (low, high) in steps:
        found = step >= QUERY and any(p in pages for p in range(low, high))
        seen.append(found)
        if step == REMOVE:
            pages -= set(range(first, end))
        elif step == ADD or (step == ADD_IF_ANY and found):
            pages |= set(range(first, end))
    return seen


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from([REMOVE, ADD, QUERY, ADD_IF_ANY]), ranges, ranges)),
    st.booleans(),
)
def test_page_set_equals_plain_set(steps, full: bool) -> None:
    columns = np.array([(*r, *s) for _, r, s in steps], np.uint64).reshape(-1, 4).T
    kinds = np.array([s[0] for s in steps], np.uint8)
    assert replay_page_set(kinds, *columns, full=full).tolist() == plain(steps, full)


def test_page_set_spans_the_whole_address_space() -> None:
    top = 2**52
    kinds = np.array([ADD, REMOVE, QUERY, QUERY], np.uint8)
    first = np.array([0, 1, 0, 0], np.uint64)
    end = np.array([top, top, 0, 0], np.uint64)
    seen_first = np.array([0, 0, 0, 1], np.uint64)
    seen_end = np.array([0, 0, 1, top], np.uint64)
    found = replay_page_set(kinds, first, end, seen_first, seen_end)
    assert found.tolist() == [False, False, True, False]
