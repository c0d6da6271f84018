"""A stream's records under its AUX records, a batch at a time: which belong to which, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.spe_streams import AuxParts, Mask
from spetrace.session.stream_kernels import place_records


class PlacedRecords(NamedTuple):
    """The records of a batch that start in an AUX record, in order."""

    held: Mask | slice
    """Which of the batch's records they are."""
    parts: Integers
    """The AUX records that some of them start in, ascending."""
    counts: Integers
    """How many start in each of these."""
    time_ns: Integers | None
    """Per record its time, completed; None where no record so far has one."""

    def __len__(self) -> int:
        return int(self.counts.sum())


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
        held = np.empty(len(aux_offset), np.bool_)
        parts, counts = np.empty((2, len(aux_offset)), np.int64)
        start, end = self._parts.start, self._parts.end
        runs = place_records(aux_offset, start, end, self._part, held, parts, counts)
        parts, counts = parts[:runs].copy(), counts[:runs].copy()
        if runs:
            self._part = int(parts[-1])
        kept = slice(None) if held.all() else held
        times = self._completed(time_ns[kept], has_time[kept])
        return PlacedRecords(kept, parts, counts, times)

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
