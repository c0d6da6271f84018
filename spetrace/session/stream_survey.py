"""What one pass over a stream's records tells beforehand of the events that they will make.

Events are made a batch of records at a time and merged with those of other streams. For that one
must know which times can't come any more, and, where recorded times are missing, those that stand
in for them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import Integers
from spetrace.session.spe_streams import AuxParts, Mask, times_of
from spetrace.session.stream_records import RecordPlacer

SURVEY_COLUMNS: Final = ("aux_offset", "time_ns")
"""The columns of spe_records that a survey reads."""
_NEVER: Final = (1 << 63) - 1


class StreamSurvey:
    """One stream's AUX records with all their times, and the bounds of its events' times.

    Batches of records are given to `add` in the stream's order; after `finish` the rest holds. An
    AUX record without a time has that of its last record, else of the AUX record before; where no
    record has a time, each has that of its AUX record.
    """

    def __init__(self, parts: AuxParts) -> None:
        self.parts = parts
        self.records = 0
        """The stream's records."""
        self.outside = 0
        """Records that start in no AUX record; they make no events."""
        self.part_time_ns: Integers = parts.time_ns
        """Per AUX record its time."""
        self.first_record_ns: int | None = None
        self.last_record_ns: int | None = None
        self._placer = RecordPlacer(parts)
        self._has_records = np.zeros(len(parts), bool)
        self._has_last = np.zeros(len(parts), bool)
        self._last_ns = np.zeros(len(parts), np.int64)
        self._ends: list[int] = []
        self._lows: list[int | None] = []
        self._highs: list[int] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at the stream's next records."""
        placed = self._placer.place(batch.column("aux_offset").to_numpy(), *times_of(batch))
        self.records += batch.num_rows
        self.outside += batch.num_rows - len(placed)
        if not len(placed):
            return
        self._has_records[placed.parts] = True
        self._ends.append(self.records - self.outside)
        if placed.time_ns is None:
            self._lows.append(None)
            return
        self._has_last[placed.parts] = True
        self._last_ns[placed.parts] = placed.time_ns[np.cumsum(placed.counts) - 1]
        self._lows.append(int(placed.time_ns.min()))
        self._highs.append(int(placed.time_ns.max()))

    def finish(self) -> StreamSurvey:
        """Complete the times, and give the survey."""
        first_ns = self.record_start_ns
        self._last_ns[~self._has_last] = first_ns or 0
        by_record = self._has_records & ~self.parts.has_time & (first_ns is not None)
        times = np.where(by_record, self._last_ns, self.parts.time_ns)
        self.part_time_ns = _filled(times, self.parts.has_time | by_record)
        own = self.part_time_ns[self._has_records]
        lows: list[int] = []
        if first_ns is not None:
            lows = [first_ns if low is None else low for low in self._lows]
            self.first_record_ns = min(lows)
            self.last_record_ns = max(self._highs)
        elif len(own):
            lows = [int(own.min())] * len(self._ends)
            self.first_record_ns, self.last_record_ns = int(own.min()), int(own.max())
        self._part_lows = _later_lows(self.part_time_ns)
        self._record_lows = _later_lows(np.array(lows, np.int64))
        return self

    @property
    def record_start_ns(self) -> int | None:
        """Time of the first record that has one, which those before it take; None without any."""
        return self._placer.first_ns

    @property
    def first_ns(self) -> int:
        """Time of the stream's earliest event; it has some where it has AUX records."""
        low = int(self.part_time_ns.min())
        return low if self.first_record_ns is None else min(low, self.first_record_ns)

    @property
    def last_ns(self) -> int:
        """Time of the stream's last event."""
        high = int(self.part_time_ns.max())
        return high if self.last_record_ns is None else max(high, self.last_record_ns)

    def first_but_registers_ns(self, is_full: Mask) -> int | None:
        """Time of its earliest event that is no register write; None without any.

        `is_full` says which AUX records the buffer's filling up ended.
        """
        times = self.part_time_ns[is_full].tolist()
        if self.first_record_ns is not None:
            times.append(self.first_record_ns)
        return min(times, default=None)

    def later_ns(self, part: int, records: int) -> int:
        """A time that no event comes before, of those after `records` placed records.

        `part` is the first AUX record that is not ended.
        """
        batch = int(np.searchsorted(self._ends, records, "right"))
        return min(int(self._part_lows[part]), int(self._record_lows[batch]))


def _later_lows(times: Integers) -> Integers:
    """Per place the lowest of the times from there on, and one more for the end."""
    lows = np.append(times, _NEVER)
    later: Integers = np.minimum.accumulate(lows[::-1])[::-1]
    return later


def _filled(values: Integers, known: npt.NDArray[np.bool_]) -> Integers:
    """Unknown values replaced by the one before, the first ones by the first known one."""
    if known.all() or not known.any():
        return values
    place = np.where(known, np.arange(len(values)), np.argmax(known))
    filled: Integers = values[np.maximum.accumulate(place)]
    return filled
