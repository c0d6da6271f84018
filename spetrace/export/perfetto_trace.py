"""A scene as a Perfetto trace: a packet per track, then per group of marks its names and events.

Each group is a packet sequence of its own, in order of time, so that no more than a chunk of one
group is ever encoded in memory; the viewer merges them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from spetrace.errors import UsageError
from spetrace.export.scene import Scene
from spetrace.export.tracks import NEVER, Kind, Marks, Places, Times, Track

NEEDS_PACKAGE: Final = (
    "--perfetto needs the package perfetto 0.59 or newer, which is not installed: "
    "pip install 'spetrace[perfetto]'"
)
_CHUNK_EVENTS: Final = 1 << 15
_FIRST_SEQUENCE: Final = 2


@dataclass(frozen=True)
class Written:
    """What a trace came to."""

    events: int
    tracks: int
    size_bytes: int
    start_ns: int | None
    """The session's time at which the trace begins."""


def check_package() -> None:
    """Raise UsageError where the package that knows the format is not installed, or too old."""
    try:
        import spetrace.export.packets  # noqa: F401
    except (ImportError, AttributeError) as error:
        raise UsageError(NEEDS_PACKAGE) from error


def write_scene(
    scene: Scene, file: BinaryIO, progress: Callable[[float], None] = lambda _done: None
) -> Written:
    """Write `scene` to `file`. Raises UsageError where the package `perfetto` is missing."""
    check_package()
    start = scene.start_ns()
    moved = max(0, -start) if start is not None else 0
    uuids = _number_tracks(scene.marks)
    size = events = 0
    total = sum(map(len, scene.marks)) or 1
    done = 0
    for rows, count, piece in chain(_head(scene, uuids, moved), _body(scene, uuids, moved)):
        size += file.write(piece)
        events += count
        done += rows
        progress(done / total)
    return Written(events, len(uuids), size, start)


def _head(scene: Scene, uuids: dict[Track, int], moved_ns: int) -> Iterator[tuple[int, int, bytes]]:
    from spetrace.export.packets import facts_packet, track_packet

    facts = dict(scene.facts)
    if moved_ns:
        facts["moved_ns"] = f"{moved_ns} (added to all times, so that none is negative)"
    for number, sentence in enumerate(scene.left_out, 1):
        facts[f"left_out.{number}"] = sentence
    if facts:
        yield 0, 0, facts_packet({f"spetrace.{name}": value for name, value in facts.items()})
    for track, uuid in uuids.items():
        yield 0, 0, track_packet(track, uuid, uuids[track.parent] if track.parent else None)


def _body(scene: Scene, uuids: dict[Track, int], moved_ns: int) -> Iterator[tuple[int, int, bytes]]:
    from spetrace.export.packets import event_packets, names_packet

    for sequence, marks in enumerate(scene.marks, _FIRST_SEQUENCE):
        yield 0, 0, names_packet(marks, sequence)
        of_marks = [uuids[track] for track in marks.tracks]
        rows, types, times = _in_time_order(marks)
        for first in range(0, len(rows), _CHUNK_EVENTS):
            part = slice(first, first + _CHUNK_EVENTS)
            at = times[part].astype(np.uint64) + np.uint64(moved_ns)
            piece = event_packets(marks, rows[part], types[part], at, of_marks, sequence)
            yield len(at) * len(marks) // len(rows), len(at), piece


def _number_tracks(marks: list[Marks]) -> dict[Track, int]:
    """All tracks with their numbers, parents before their children."""
    uuids: dict[Track, int] = {}

    def number(track: Track) -> None:
        """Give the track the next number, after its parents."""
        if track.parent is not None:
            number(track.parent)
        uuids.setdefault(track, len(uuids) + 1)

    for each in marks:
        for track in each.tracks:
            number(track)
    return uuids


def _in_time_order(marks: Marks) -> tuple[Places, npt.NDArray[np.uint64], Times]:
    """Row, type and time of each event: of a slice two, or one where it never ends."""
    from spetrace.export.packets import COUNTER, INSTANT, SLICE_BEGIN, SLICE_END

    if marks.kind is not Kind.SLICE:
        rows = np.argsort(marks.start, kind="stable")
        type_ = COUNTER if marks.kind is Kind.COUNTER else INSTANT
        return rows, np.full(len(rows), type_, np.uint64), marks.start[rows]
    # Slices of a track are disjoint and in order: begin, end, begin, end is in order of time there.
    times = np.stack([marks.start, marks.end], axis=1).ravel()
    rows = np.repeat(np.arange(len(marks)), 2)
    types = np.tile(np.array([SLICE_BEGIN, SLICE_END], np.uint64), len(marks))
    happens = (types == SLICE_BEGIN) | (times != NEVER)
    order = np.flatnonzero(happens)
    order = order[np.argsort(times[order], kind="stable")]
    return rows[order], types[order], times[order]
