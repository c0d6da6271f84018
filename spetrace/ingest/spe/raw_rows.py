"""Finished raw records, seen slot by slot, with the bitmaps of who has what."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.ingest.spe.header_table import Slot
from spetrace.ingest.spe.raw_records import RawRecords


class RawRows:
    """The first `rows` of the raw records, with each slot's validity bitmap made once."""

    def __init__(self, records: RawRecords, rows: int) -> None:
        self.rows = rows
        self.begins = records.begins[:rows]
        self.sizes = records.sizes[:rows]
        self._records = records
        self._present = records.present[:rows]
        self._validity: dict[Slot, pa.Buffer | None] = {}

    def payloads(self, slot: Slot) -> npt.NDArray[np.uint64]:
        """The slot's payload of each record; anything where the record has none."""
        return self._records.payloads[slot, : self.rows]

    def is_absent(self, slot: Slot) -> bool:
        """Whether no record has it."""
        return not self._in_any >> slot & 1

    def validity(self, slot: Slot) -> pa.Buffer | None:
        """The bitmap of the records that have it; None if all do."""
        if self._in_all >> slot & 1:
            return None
        if slot not in self._validity:
            bits = (self._present & np.uint16(1 << slot)) != 0
            self._validity[slot] = to_bitmap(bits)
        return self._validity[slot]

    def other_counters(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Ends by record (one more than rows), indices, values; copied."""
        ends = self._records.other_ends[: self.rows + 1].copy()
        indices, values = self._records.other_indices, self._records.other_values
        return ends, indices[: ends[-1]].copy(), values[: ends[-1]].copy()

    @cached_property
    def _in_any(self) -> int:
        return int(np.bitwise_or.reduce(self._present))

    @cached_property
    def _in_all(self) -> int:
        return int(np.bitwise_and.reduce(self._present))


def to_bitmap(bits: npt.NDArray[Any]) -> pa.Buffer:
    """Bools or 0 and 1 as an Arrow bitmap."""
    return pa.py_buffer(np.packbits(bits, bitorder="little"))
