"""Probes of other names: the recordings with such events under the names that the session reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from spetrace.errors import InputError
from spetrace.session.event_map import STRUCTURE, MappedEvent
from spetrace.session.mapped_columns import column_values, is_wanted
from spetrace.session.mapped_frames import MappedFrames
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of

_COMMON = ("index", "time_ns", "cpu", "pid", "comm", "tgid")


def by_event_map(
    recordings: Sequence[Recording],
    events: Sequence[MappedEvent],
    page_size: int,
    path: Path | None,
) -> Sequence[Recording]:
    """The recordings, a map's probes' events among those of the probes that they stand for.

    Raises InputError, with the map's `path`, for an event or a field that the recordings lack.
    """
    if not events:
        return recordings
    try:
        for event in events:
            _check(event, recordings, page_size)
        probes = [event for event in events if event.is_probe]
        return [_with_probes(recording, probes, page_size) for recording in recordings]
    except InputError as error:
        raise error.in_file(str(path)) from error


def _check(event: MappedEvent, recordings: Sequence[Recording], page_size: int) -> None:
    """Raise InputError where no recording holds the event, or one's fields are not as needed."""
    holding = [r for r in recordings if event.event in frames_of(r.tracepoints).counts]
    if not holding:
        held = sorted({name for r in recordings for name in frames_of(r.tracepoints).counts})
        there = ", ".join(held) or "no tracepoints"
        cause = f"{event.place}.event: no input holds {event.event!r}; they hold {there}"
        raise InputError(STRUCTURE, cause)
    for recording in holding:
        frame = frames_of(recording.tracepoints).empty(event.event)
        for name, key in event.fields.items():
            if name not in frame.columns:
                cause = f"{event.event} in {recording.name} has no field {name!r}"
                fields = ", ".join(c for c in frame.columns if c != "index")
                raise InputError(STRUCTURE, f"{event.place}.{key}: {cause}; it has {fields}")
        is_wanted(frame, event)
        for key in event.columns:
            column_values(frame, event, key, page_size)


def _with_probes(recording: Recording, probes: Sequence[MappedEvent], page_size: int) -> Recording:
    frames = frames_of(recording.tracepoints)
    held = frames.select({name for probe in probes for name in (probe.event, probe.kind)})
    mapped: dict[str, pl.DataFrame] = {}
    for probe in probes:
        if probe.event not in held:
            continue
        renamed = _renamed(held[probe.event], probe, page_size)
        own = held.get(probe.kind) if probe.kind != probe.event else None
        others = mapped.get(probe.kind, own)
        if others is not None:
            renamed = pl.concat([others, renamed], how="diagonal_relaxed").sort("index")
        mapped[probe.kind] = renamed
    return replace(recording, tracepoints=MappedFrames(frames, mapped)) if mapped else recording


def _renamed(frame: pl.DataFrame, probe: MappedEvent, page_size: int) -> pl.DataFrame:
    frame = frame.filter(pl.Series(is_wanted(frame, probe), dtype=pl.Boolean))
    columns = []
    for key in probe.columns:
        values, known = column_values(frame, probe, key, page_size)
        columns.append(pl.Series(key, values).set(pl.Series(~known), None))
    return frame.select(*_COMMON, *columns)
