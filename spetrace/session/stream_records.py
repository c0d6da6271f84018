"""A stream's records under its AUX records: which belong to which, when they come, at which EL."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.spe_streams import UNKNOWN_LEVEL, AuxParts, StreamRecords


@dataclass(frozen=True)
class PlacedRecords:
    """The records that start in an AUX record, in order, with times and levels completed."""

    records: StreamRecords
    time_ns: Integers
    level: npt.NDArray[np.uint8]
    turns: npt.NDArray[np.bool_]
    """Whether the record's level differs from the one that stood before it."""
    counts: Integers
    """Per AUX record how many of the records it has; they are consecutive."""
    part_time_ns: Integers
    """Per AUX record its time."""
    outside: int
    """Records that start in no AUX record; left out."""

    @property
    def starts(self) -> Integers:
        """Per AUX record its first record."""
        starts: Integers = np.cumsum(self.counts) - self.counts
        return starts


def place_records(parts: AuxParts, records: StreamRecords) -> PlacedRecords:
    """Give each record to the AUX record in whose [offset, offset + size) it starts.

    A record without a time takes that of the one before, the first ones that of the first that has
    one, else of their AUX record; an AUX record without a time that of its last record, else of the
    one before. A record without a level keeps the one that stands, and the register writes before
    an AUX record's first one are at EL1.
    """
    first, end = _spans(parts, records.aux_offset)
    marks = np.zeros(len(records) + 1, np.int8)
    np.add.at(marks, first, 1)
    np.add.at(marks, end, -1)
    held = np.cumsum(marks[:-1], dtype=np.int8) > 0
    placed = records.where(held)
    counts = end - first
    times, part_times = _times(parts, placed, counts)
    starts = (np.cumsum(counts) - counts)[counts > 0]
    level = _levels(placed.level, starts)
    before = np.concatenate((np.ones(1, np.uint8), level))[:-1]
    before[starts] = 1
    return PlacedRecords(
        placed, times, level, level != before, counts, part_times, len(records) - len(placed)
    )


def _spans(parts: AuxParts, aux_offset: Addresses) -> tuple[Integers, Integers]:
    """Per AUX record its first record and the one after its last; no record is in two."""
    stop = parts.offset + np.minimum(parts.size, ~parts.offset)
    first, end = np.searchsorted(aux_offset, parts.offset), np.searchsorted(aux_offset, stop)
    reached = np.maximum.accumulate(np.concatenate((np.zeros(1, np.int64), end)))[:-1]
    first = np.maximum(first, reached)
    return first, np.maximum(end, first)


def _times(parts: AuxParts, records: StreamRecords, counts: Integers) -> tuple[Integers, Integers]:
    known = np.flatnonzero(records.has_time)
    times = _filled(records.time_ns, records.has_time)
    last = (np.cumsum(counts) - 1).clip(0)
    by_record = (counts > 0) & (len(known) > 0) & ~parts.has_time
    part_times = parts.time_ns.copy()
    if len(times):
        part_times[by_record] = times[last[by_record]]
    part_times = _filled(part_times, parts.has_time | by_record)
    if not len(known):
        times = np.repeat(part_times, counts)
    return times, part_times


def _filled(values: Integers, known: npt.NDArray[np.bool_]) -> Integers:
    """Unknown values replaced by the one before, the first ones by the first known one."""
    if known.all() or not known.any():
        return values
    place = np.where(known, np.arange(len(values)), np.argmax(known))
    filled: Integers = values[np.maximum.accumulate(place)]
    return filled


def _levels(level: npt.NDArray[np.uint8], starts: Integers) -> npt.NDArray[np.uint8]:
    known = level != UNKNOWN_LEVEL
    if known.all():
        return level
    level = level.copy()
    unknown_starts = starts[~known[starts]]
    level[unknown_starts], known[unknown_starts] = 1, True
    place = np.maximum.accumulate(np.where(known, np.arange(len(level)), 0))
    return level[place]
