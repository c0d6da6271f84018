"""A stream's records under its AUX records, a batch at a time: which belong to which, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.spe_streams import AuxParts, Mask


class PlacedRecords(NamedTuple):
    """The records of a batch that start in an AUX record, in order."""

    held: Mask
    """Which of the batch's records they are."""
    part: Integers
    """Per record its AUX record; never a lower one than that of the record before."""
    time_ns: Integers | None
    """Per record its time, completed; None where no record so far has one."""

    def __len__(self) -> int:
        return len(self.part)


class RecordPlacer:
    """Gives each record to the AUX record in whose [offset, offset + size) it starts.

    A record without a time takes that of the one before, the first ones that of the first that has
    one: `first_ns`, where it is known beforehand. A record that starts in an earlier AUX record
    than one before it does is in none.
    """

    def __init__(self, parts: AuxParts, first_ns: int | None = None) -> None:
        self._parts = parts
        self._part = 0
        self._last_ns = first_ns
        self.first_ns = first_ns
        """Time of the first record placed that has one."""

    def place(self, aux_offset: Addresses, time_ns: Integers, has_time: Mask) -> PlacedRecords:
        """Place the stream's next records."""
        part, held = self._find(aux_offset)
        if not held.all():
            part, time_ns, has_time = part[held], time_ns[held], has_time[held]
        if len(part):
            self._part = int(part[-1])
        return PlacedRecords(held, part, self._completed(time_ns, has_time))

    def _find(self, aux_offset: Addresses) -> tuple[Integers, Mask]:
        """Per record the AUX record that ends above it, and whether it is in that."""
        parts = self._parts
        if self._goes_on(aux_offset):
            return _find_rising(parts, aux_offset)
        part = np.searchsorted(parts.end, aux_offset, "right")
        held = part < len(parts)
        held[held] = aux_offset[held] >= parts.start[part[held]]
        reached = np.maximum.accumulate(np.where(held, part, 0))
        return part, held & (part >= np.maximum(reached, self._part))

    def _goes_on(self, aux_offset: Addresses) -> bool:
        """Whether records follow each other, and those before them: so they do but in odd streams."""
        if not len(aux_offset) or not len(self._parts):
            return False
        begins = self._part == 0 or aux_offset[0] >= self._parts.end[self._part - 1]
        return bool(begins and (aux_offset[1:] >= aux_offset[:-1]).all())

    def _completed(self, time_ns: Integers, has_time: Mask) -> Integers | None:
        if self._last_ns is None and has_time.any():
            self._last_ns = self.first_ns = int(time_ns[np.argmax(has_time)])
        if self._last_ns is None:
            return None
        times = time_ns
        if not has_time.all():
            place = np.maximum.accumulate(np.where(has_time, np.arange(1, len(time_ns) + 1), 0))
            times = np.concatenate((np.array([self._last_ns]), time_ns))[place]
        if len(times):
            self._last_ns = int(times[-1])
        return times


def _find_rising(parts: AuxParts, aux_offset: Addresses) -> tuple[Integers, Mask]:
    """What `_find` gives for offsets that don't go down: few AUX records are sought among many."""
    first, last = np.searchsorted(parts.end, aux_offset[[0, -1]], "right")
    bounds = np.searchsorted(aux_offset, parts.end[first:last])
    counts = np.diff(bounds, prepend=0, append=len(aux_offset))
    part = np.repeat(np.arange(first, last + 1), counts)
    starts = np.append(parts.start[first : last + 1], np.uint64(0))[: len(counts)]
    held = aux_offset >= np.repeat(starts, counts)
    held[len(aux_offset) - counts[-1] :] &= last < len(parts)
    return part, held
