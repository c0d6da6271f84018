from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.profile.interval_map import IntervalMap
from spetrace.profile.timed_lookup import END, START, TimedLookup

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=25)


@settings(deadline=None, max_examples=80)
@given(RANGES)
def test_ranges_hold_what_was_assigned_last(ranges: list[tuple[int, int]]) -> None:
    plain = [-1] * 100
    assigned = IntervalMap()
    for value, (start, size) in enumerate(ranges):
        assigned.assign(start, start + size, value)
        plain[start : start + size] = [value] * size
    asked = np.arange(100, dtype=np.uint64)
    assert assigned.find(asked).tolist() == plain
    assert [int(assigned.find(asked[n : n + 1])[0]) for n in range(100)] == plain


ENTRIES = st.lists(st.tuples(st.integers(-2, 4), st.integers(0, 6)), max_size=20)


@settings(deadline=None, max_examples=80)
@given(ENTRIES, ENTRIES)
def test_the_newest_entry_holds(
    entries: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    keys, times = (np.array([e[n] for e in entries], np.int64) for n in (0, 1))
    lookup = TimedLookup(keys, times)
    want = []
    for key, time in asked:
        held = [n for n, e in enumerate(entries) if e[0] == key and e[1] <= time]
        want.append(max(held, key=lambda n: (entries[n][1], n)) if held else -1)
    given_keys, given_times = (np.array([a[n] for a in asked], np.int64) for n in (0, 1))
    assert lookup.find(given_keys, given_times).tolist() == want


def test_entries_from_before_the_recording_always_hold() -> None:
    lookup = TimedLookup(np.array([5, 7]), np.array([START, START]))
    assert lookup.find(np.array([7, 6, 5]), np.array([START, 3, END])).tolist() == [1, -1, 0]
