"""The trees of page counts and page histories equal a walk page by page."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.session import page_counts, page_history

PAGES = 24
NEXT_STATE = {
    page_counts.UNMAP: (0, 0, 0),
    page_counts.MAP_READ_ONLY: (1, 1, 2),
    page_counts.MAP_WRITABLE: (2, 2, 2),
    page_counts.WRITE_PROTECT: (0, 1, 1),
}
ranges = st.tuples(st.integers(0, PAGES), st.integers(0, PAGES)).map(sorted)


def columns(steps):
    kinds = np.array([s[0] for s in steps], np.uint8)
    first, end = (np.array([s[1][n] for s in steps], np.uint64) for n in (0, 1))
    return kinds, first, end


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(sorted(NEXT_STATE)), ranges), max_size=30))
def test_page_counts_are_those_of_single_pages(steps) -> None:
    states = [0] * PAGES
    expected = []
    for kind, (first, end) in steps:
        states[first:end] = [NEXT_STATE[kind][s] for s in states[first:end]]
        expected.append((sum(s > 0 for s in states), sum(s > 1 for s in states)))
    mapped, writable = page_counts.replay_page_counts(*columns(steps))
    assert list(zip(mapped.tolist(), writable.tolist(), strict=True)) == expected


def history_of(steps, full: bool):
    state = dict.fromkeys(range(PAGES + 1), (-1 if full else -2, -2))
    found = []
    for at, (kind, (first, end)) in enumerate(steps):
        found.append(state[first] if kind == page_history.ASK else (-2, -2))
        for page in range(first, end) if kind != page_history.ASK else ():
            since, until = state[page]
            if kind == page_history.MAP:
                state[page] = (at, -2)
            elif since != -2 and until == -2:
                state[page] = (since, at)
    return found


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2), ranges), max_size=30), st.booleans())
def test_page_histories_are_those_of_single_pages(steps, full: bool) -> None:
    steps = [(k, (r[0], r[0] + 1) if k == page_history.ASK else r) for k, r in steps]
    since, until = page_history.replay_page_history(*columns(steps), full=full)
    assert list(zip(since.tolist(), until.tolist(), strict=True)) == history_of(steps, full)


def test_large_ranges_take_no_room() -> None:
    first = np.array([0, 1 << 40, 0], np.uint64)
    end = np.array([1 << 52, 1 << 50, 1 << 51], np.uint64)
    steps = np.array([page_counts.MAP_WRITABLE, page_counts.WRITE_PROTECT, page_counts.UNMAP])
    mapped, writable = page_counts.replay_page_counts(steps.astype(np.uint8), first, end)
    assert mapped.tolist() == [1 << 52, 1 << 52, 1 << 51]
    assert writable.tolist() == [1 << 52, (1 << 52) - (1 << 50) + (1 << 40), 1 << 51]
