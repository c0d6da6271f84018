"""A scene made smaller: a window of time, and a limit to the rows of its densest tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spetrace.errors import UsageError
from spetrace.export.scene import Scene
from spetrace.export.tracks import NEVER, Kind, Marks, Places, Times, Track

_CUT = "left out here: {:,} of {:,} (--limit)"


def cut_to_window(scene: Scene, from_ns: int | None, to_ns: int | None) -> Scene:
    """What lies within [from_ns, to_ns], in times since the scene's start; what crosses it is cut.

    A slice that goes on beyond the window ends with it, one that began before begins with it. The
    scene says how much was left out. Raises UsageError where nothing begins so late.
    """
    start = scene.start_ns()
    if start is None or (from_ns is None and to_ns is None):
        return scene
    low = start + (from_ns or 0)
    if low > scene.end_ns():
        raise UsageError(f"--from {from_ns} ns is after the last event")
    high = NEVER if to_ns is None else min(start + to_ns, NEVER)
    kept = [_within(marks, low, high) for marks in scene.marks]
    lost = sum(map(len, scene.marks)) - sum(map(len, kept))
    sentence = (
        f"{lost:,} slices, instants and values outside of the window {_span(from_ns, to_ns)}; "
        "slices that cross its bounds are cut there"
    )
    return replace(
        scene,
        marks=[marks for marks in kept if len(marks)],
        left_out=[*scene.left_out, sentence],
    )


def _span(from_ns: int | None, to_ns: int | None) -> str:
    return f"from {from_ns or 0:,} ns" + ("" if to_ns is None else f" to {to_ns:,} ns")


def _within(marks: Marks, low: int, high: int) -> Marks:
    # A counter's value that ends where the window begins is not in it; an instant there is.
    begins = marks.end > low if marks.kind is Kind.COUNTER else marks.end >= low
    inside = marks.take(np.flatnonzero(begins & (marks.start <= high)))
    end = inside.end
    if high < NEVER:
        end = np.minimum(end, high)
    return replace(inside, start=np.maximum(inside.start, low), end=np.maximum(end, low))


def limit_rows(scene: Scene, limit: int | None) -> Scene:
    """At most `limit` rows, but one of each track: the densest lose what comes after their share.

    A track with slices or instants ends with a mark that says how many were left out; of a counter
    its highest values are kept all along. None is no limit.
    """
    counts = [np.bincount(marks.track, minlength=len(marks.tracks)) for marks in scene.marks]
    sizes = np.concatenate([np.zeros(0, np.int64), *counts])
    if limit is None or int(sizes.sum()) <= limit:
        return scene
    share = _share(sizes, limit)
    marks, left_out = [], list(scene.left_out)
    for each, count in zip(scene.marks, counts, strict=True):
        marks.append(_limited(each, count, share))
        left_out += [
            f"{_path(each.tracks[i])}: {_how(each.kind, share, int(count[i]))}"
            for i in np.flatnonzero(count > share).tolist()
        ]
    return replace(scene, marks=marks, left_out=left_out)


def _share(sizes: npt.NDArray[np.int64], limit: int) -> int:
    """The most rows a track may have, so that all tracks together have `limit` at most."""
    ordered = np.sort(sizes)
    before = np.concatenate([[0], np.cumsum(ordered)[:-1]])
    tracks = np.arange(len(ordered), 0, -1)
    # The first track that is too large for an equal part of what the smaller ones left.
    place = int(np.argmax(before + ordered * tracks > limit))
    return max(1, (limit - int(before[place])) // int(tracks[place]))


def _limited(marks: Marks, counts: npt.NDArray[np.int64], share: int) -> Marks:
    if not (counts > share).any():
        return marks
    if marks.kind is Kind.COUNTER:
        return marks.take(_highest(marks, counts, share))
    ordered = marks.take(np.lexsort((marks.start, marks.track)))
    place = np.arange(len(ordered)) - (np.cumsum(counts) - counts)[ordered.track]
    kept = ordered.take(np.flatnonzero(place < share))
    cuts = ordered.take(np.flatnonzero((place == share - 1) & (counts[ordered.track] > share)))
    return _with_cuts(kept, cuts, counts, share)


def _with_cuts(kept: Marks, cuts: Marks, counts: npt.NDArray[np.int64], share: int) -> Marks:
    """`kept`, the last row of each cut track replaced by one that says so, without details."""
    names = [_CUT.format(counts[t] - share + 1, counts[t]) for t in cuts.track]
    numbers = np.full(len(counts), -1, np.int64)
    numbers[cuts.track] = np.arange(len(kept.names), len(kept.names) + len(names))
    is_cut = np.zeros(len(kept), np.bool_)
    is_cut[_last_rows(kept.track)] = True
    is_cut &= np.isin(kept.track, cuts.track)
    return replace(
        kept,
        names=(*kept.names, *names),
        name=np.where(is_cut, numbers[kept.track], kept.name),
        end=np.where(is_cut, kept.start, kept.end),
        annotations={
            key: replace(a, present=a.present & ~is_cut) for key, a in kept.annotations.items()
        },
    )


def _last_rows(track: Places) -> Places:
    """The last row of each track, where rows are sorted by track."""
    return np.flatnonzero(np.append(track[1:] != track[:-1], True))


def _highest(marks: Marks, counts: npt.NDArray[np.int64], share: int) -> Places:
    """Of each track too dense the row of the highest value in each of `share` equal spans."""
    dense = (counts > share)[marks.track]
    rows = np.flatnonzero(dense)
    span = _spans(marks.track[rows], marks.start[rows], len(counts), share)
    order = np.lexsort((marks.values[rows], span, marks.track[rows]))
    track, ordered = marks.track[rows][order], span[order]
    last = np.flatnonzero(
        np.append((track[1:] != track[:-1]) | (ordered[1:] != ordered[:-1]), True)
    )
    return np.sort(np.concatenate([np.flatnonzero(~dense), rows[order[last]]]))


def _spans(track: Places, start: Times, tracks: int, share: int) -> Places:
    """Which of `share` equal spans of its track's time each row lies in."""
    low = np.full(tracks, NEVER)
    high = np.full(tracks, np.iinfo(np.int64).min)
    np.minimum.at(low, track, start)
    np.maximum.at(high, track, start)
    length = (high - low)[track] // share + 1
    spans: Places = (start - low[track]) // length
    return spans


def _how(kind: Kind, share: int, count: int) -> str:
    if kind is Kind.COUNTER:
        return f"the highest of {count:,} values in each of {share:,} spans of time is shown"
    return f"the first {share - 1:,} of {count:,} {kind.value}s are shown"


def _path(track: Track) -> str:
    return track.name if track.parent is None else f"{_path(track.parent)} / {track.name}"
