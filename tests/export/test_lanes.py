from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.export.lanes import LANES_MAX, in_lanes
from spetrace.export.tracks import NEVER, Kind, Marks, Track

ROW = st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(-1, 12))
TRACKS = (Track("a"), Track("b"), Track("thread", pid=1, tid=2))


def slices(rows: list[tuple[int, int, int]]) -> Marks:
    """Rows of (track, start, length); length -1 never ends."""
    track, start, length = np.array(rows, np.int64).reshape(-1, 3).T
    end = np.where(length < 0, NEVER, start + length)
    return Marks(
        Kind.SLICE, "c", TRACKS, track, start, end, ("x",), np.arange(len(rows)) * 0
    )  # fmt: skip


@given(st.lists(ROW, max_size=40))
@settings(deadline=None, max_examples=150)
def test_slices_of_a_track_are_disjoint_and_none_is_lost(
    rows: list[tuple[int, int, int]],
) -> None:
    laid, lost = in_lanes(slices(rows))
    assert lost == 0
    assert sorted(zip(laid.start.tolist(), laid.end.tolist(), strict=True)) == sorted(
        (s, NEVER if n < 0 else s + n) for _, s, n in rows
    )
    latest: dict[int, int] = {}
    for track, start, end in zip(laid.track, laid.start, laid.end, strict=True):
        assert start >= latest.get(track, -1)
        latest[track] = end


def test_slices_that_touch_share_a_lane() -> None:
    laid, _ = in_lanes(slices([(0, 0, 5), (0, 5, 0), (0, 5, 4)]))
    assert laid.tracks == (TRACKS[0],)


def test_overlap_goes_to_a_track_of_the_same_name() -> None:
    laid, _ = in_lanes(slices([(0, 0, 9), (0, 1, 2), (0, 4, 2)]))
    assert [track.name for track in laid.tracks] == ["a", "a"]
    assert laid.track.tolist() == [0, 1, 1]


def test_overlap_on_a_thread_goes_below_it() -> None:
    laid, _ = in_lanes(slices([(2, 0, 9), (2, 1, 2)]))
    assert laid.tracks[1].parent == TRACKS[2]


def test_more_lanes_than_there_may_be_are_counted() -> None:
    laid, lost = in_lanes(slices([(0, 0, 9)] * (LANES_MAX + 5)))
    assert (len(laid), lost) == (LANES_MAX, 5)


def test_end_before_the_start_is_moved_to_it() -> None:
    marks = slices([(0, 5, 0)])
    marks.end[0] = 2
    laid, _ = in_lanes(marks)
    assert laid.end.tolist() == [5]
