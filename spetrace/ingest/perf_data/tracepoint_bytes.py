"""The bytes of samples that can't stay where they are: copied together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from spetrace.ingest.field_kernels import gather_bytes
from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.ingest.perf_data.tracepoint_spill import Spill

WINDOW_BYTES = 1 << 27
"""No more of a mapped file is in memory for one stretch of samples."""

_Starts = npt.NDArray[np.int64]
_Lengths = npt.NDArray[np.unsignedinteger[Any]]


class CopiedBytes:
    """Bytes of records that do not stay in memory, one after another."""

    def __init__(self) -> None:
        self._spill = Spill()

    @property
    def data(self) -> Bytes:
        """The bytes, read-only and perhaps mapped, as those of a file."""
        return self._spill.mapped()

    def take(self, data: Bytes, starts: _Starts, lengths: _Lengths) -> _Starts:
        """Copy the bytes of all places; returns where they are now."""
        ends = _ends(lengths)
        copies = np.empty(ends[-1], np.uint8)
        gather_bytes(read_only(data), starts, ends, copies)
        return ends[:-1] + self._spill.write(copies)


def near_bytes(data: Bytes, starts: _Starts, lengths: _Lengths) -> tuple[Bytes, _Starts]:
    """Bytes that hold those of all places, and where they are in them.

    These are `data`, or copies where the places are scattered over more than WINDOW_BYTES: then the
    copies are made window by window, so that no more of a mapped file is in memory.
    """
    if not len(starts) or starts.max() - starts.min() < WINDOW_BYTES:
        return data, starts
    order = np.argsort(starts)
    sorted_starts, ends = starts[order], _ends(lengths[order])
    copies = np.empty(ends[-1], np.uint8)
    for begin, end in _windows(sorted_starts):
        gather_bytes(read_only(data), sorted_starts[begin:end], ends[begin : end + 1], copies)
        let_go(data)
    moved = np.empty_like(starts)
    moved[order] = ends[:-1]
    return read_only(copies), moved


def read_only(data: Bytes) -> Bytes:
    """A view that can't be written to, as one of a file: so kernels are compiled only once."""
    view = data.view()
    view.flags.writeable = False
    return view


def _windows(sorted_starts: _Starts) -> Iterator[tuple[int, int]]:
    """From and to before which of the places each window goes."""
    begin = 0
    while begin < len(sorted_starts):
        end = int(np.searchsorted(sorted_starts, sorted_starts[begin] + WINDOW_BYTES))
        yield begin, end
        begin = end


def _ends(lengths: _Lengths) -> npt.NDArray[np.int64]:
    """Where each of the bytes ends when they follow each other, after a 0."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends
