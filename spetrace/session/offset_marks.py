"""Times at places of an AUX stream, found while its records go by a batch at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import Addresses, Integers

MARK_COLUMNS = ("aux_offset", "time_ns")
"""The columns of spe_records that `Marks` reads."""


class Marks:
    """Offsets in one AUX stream, and what lies around each of them.

    No more than one batch of records is held. Records without a time are taken as if they were not.
    """

    def __init__(self, offsets: Addresses) -> None:
        self._offsets = offsets
        count = len(offsets)
        self.records_before: Integers = np.zeros(count, np.int64)
        """Records that start below the offset."""
        self.before_ns: Integers = np.zeros(count, np.int64)
        """Time of the last of them, where there is one."""
        self.after_ns: Integers = np.zeros(count, np.int64)
        """Time of the first record that starts at the offset or above, where there is one."""
        self.has_before: npt.NDArray[np.bool_] = np.zeros(count, bool)
        self.has_after: npt.NDArray[np.bool_] = np.zeros(count, bool)
        self._before_at: Addresses = np.zeros(count, np.uint64)
        self._after_at: Addresses = np.zeros(count, np.uint64)

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at some more records, in any order."""
        recorded = batch.column("time_ns")
        timed = batch.filter(recorded.is_valid()) if recorded.null_count else batch
        offsets = timed.column("aux_offset").to_numpy()
        times = timed.column("time_ns").to_numpy()
        if not len(offsets):
            return
        if (offsets[1:] < offsets[:-1]).any():
            order = np.argsort(offsets, kind="stable")
            offsets, times = offsets[order], times[order]
        place = np.searchsorted(offsets, self._offsets)
        self.records_before += place
        self._see_before(offsets, times, place)
        self._see_after(offsets, times, place)

    def _see_before(self, offsets: Addresses, times: Integers, place: Integers) -> None:
        last = np.maximum(place - 1, 0)
        better = (place > 0) & (~self.has_before | (offsets[last] >= self._before_at))
        self.before_ns[better] = times[last[better]]
        self._before_at[better] = offsets[last[better]]
        self.has_before |= better

    def _see_after(self, offsets: Addresses, times: Integers, place: Integers) -> None:
        first = np.minimum(place, len(offsets) - 1)
        better = (place < len(offsets)) & (~self.has_after | (offsets[first] < self._after_at))
        self.after_ns[better] = times[first[better]]
        self._after_at[better] = offsets[first[better]]
        self.has_after |= better
