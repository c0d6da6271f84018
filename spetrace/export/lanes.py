"""Slices that overlap, put into lanes: on one track a viewer would take them for nested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from spetrace.export.tracks import Kind, Marks, Places, Times, Track

LANES_MAX = 64


def in_lanes(marks: Marks) -> tuple[Marks, int]:
    """The slices, sorted by track and time, disjoint on each track; and how many found no lane.

    A track's further lanes are tracks of the same name, which viewers show as one. What overlaps in
    more than LANES_MAX lanes is left out. Ends before their start are moved to it.
    """
    if marks.kind is not Kind.SLICE:
        return marks, 0
    marks = replace(marks, end=np.maximum(marks.end, marks.start))
    marks = marks.take(np.lexsort((marks.end, marks.start, marks.track)))
    lane = _lanes(marks.track, marks.start, marks.end)
    kept = marks.take(np.flatnonzero(lane >= 0))
    return _on_tracks(kept, lane[lane >= 0]), len(marks) - len(kept)


def _lanes(track: Places, start: Times, end: Times) -> Places:
    """A lane per row (sorted by track, start and end); -1 for none."""
    lane = np.full(len(track), -1, np.int64)
    rest = np.arange(len(track))
    for number in range(LANES_MAX):
        if not len(rest):
            break
        free = start[rest] >= _latest_end_before(track[rest], end[rest])
        lane[rest[free]] = number
        rest = rest[~free]
    return lane


def _latest_end_before(track: Places, end: Times) -> Times:
    """Per row the latest end of the rows before it on its track."""
    rows = pl.DataFrame({"track": track, "end": end})
    latest = pl.col("end").cum_max().shift(1).over("track").fill_null(np.iinfo(np.int64).min)
    return rows.select(latest).to_series().to_numpy()


def _on_tracks(marks: Marks, lane: Places) -> Marks:
    """The rows on their lane's track."""
    pairs, place = np.unique(lane * len(marks.tracks) + marks.track, return_inverse=True)
    tracks = [_lane_of(marks.tracks[p % len(marks.tracks)], p // len(marks.tracks)) for p in pairs]
    return replace(marks, tracks=tuple(tracks), track=place.astype(np.int64))


def _lane_of(track: Track, lane: int) -> Track:
    if not lane:
        return track
    if track.tid is None:
        return replace(track, lane=int(lane))
    return Track("overlapping", parent=track, lane=int(lane))
