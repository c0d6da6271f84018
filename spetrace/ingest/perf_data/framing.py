"""Records of a data section, framed: where each begins, its type and size, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.perf_data.abi import RECORD_HEADER_BYTES, RecordType
from spetrace.ingest.perf_data.kernel import MORE, walk_headers

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]

_BLOCK_RECORDS = 1 << 15


@dataclass(frozen=True)
class Block:
    """Consecutive records of `data`: offset, type and size (with the header) of each.

    Records lie whole before `end`; only the payload that follows an AUXTRACE may reach past it.
    """

    data: Bytes
    end: int
    order: str
    offsets: npt.NDArray[np.int64]
    types: npt.NDArray[np.uint32]
    sizes: npt.NDArray[np.int64]

    def rows(self, type_: RecordType) -> Rows:
        """The rows of one record type."""
        return np.flatnonzero(self.types == type_)

    def u64(self, rows: Rows, at: int | npt.NDArray[np.int64]) -> Words:
        """The 64-bit integers `at` bytes from the records' starts; they must lie in the records."""
        return self._integers(rows, at, 8).astype(np.uint64)

    def u32(self, rows: Rows, at: int | npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        """The 32-bit integers `at` bytes from the records' starts; they must lie in the records."""
        return self._integers(rows, at, 4).astype(np.uint32)

    def misc(self, rows: Rows) -> npt.NDArray[np.uint16]:
        """The header's misc field of the records."""
        return self._integers(rows, 4, 2).astype(np.uint16)

    def body(self, row: int) -> memoryview:
        """The bytes of a record after its header."""
        start = int(self.offsets[row])
        return self.data[start + RECORD_HEADER_BYTES : start + int(self.sizes[row])].data

    def _integers(
        self, rows: Rows, at: int | npt.NDArray[np.int64], width: int
    ) -> npt.NDArray[Any]:
        starts = self.offsets[rows] + at
        octets: npt.NDArray[Any] = self.data[starts[:, None] + np.arange(width)]
        integers: npt.NDArray[Any] = octets.view(f"{self.order}u{width}")
        return integers.reshape(-1)


class Stop(NamedTuple):
    """Where and how (`kernel.END`, `CUT`, `BAD_SIZE`) a walk ended, and what its record lacks."""

    offset: int
    how: int
    missing: int


class RecordWalk:
    """Iterates over the blocks of `data[start:end]`; `stop` tells afterwards how it ended.

    `payloads`: whether payloads follow AUXTRACE and TRACING_DATA records, as they do in a file.
    """

    def __init__(self, data: Bytes, start: int, end: int, order: str, *, payloads: bool) -> None:
        self.data = data
        self.end = end
        self.order = order
        self.payloads = payloads
        self.stop = Stop(start, MORE, 0)

    def __iter__(self) -> Iterator[Block]:
        while self.stop.how == MORE:
            capacity = min(_BLOCK_RECORDS, (self.end - self.stop.offset) // RECORD_HEADER_BYTES + 1)
            offsets = np.empty(capacity, np.int64)
            types, sizes = np.empty(capacity, np.uint32), np.empty(capacity, np.int64)
            big = self.order == ">"
            count, *stop = walk_headers(
                self.data, self.stop.offset, self.end, big, self.payloads, offsets, types, sizes
            )
            self.stop = Stop(*stop)
            if count:
                yield Block(
                    self.data, self.end, self.order, offsets[:count], types[:count], sizes[:count]
                )
