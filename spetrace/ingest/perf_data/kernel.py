"""The walk over record headers, compiled: a data section may hold millions of records."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from spetrace.ingest.perf_data.abi import RECORD_HEADER_BYTES, RecordType

MORE, END, CUT, BAD_SIZE = 0, 1, 2, 3
"""How a walk stopped: arrays full; at the end; in a record that goes on past it; at a size below 8."""

_HEADER = RECORD_HEADER_BYTES
_AUXTRACE, _TRACING_DATA = int(RecordType.AUXTRACE), int(RecordType.HEADER_TRACING_DATA)
_HUGE = 1 << 60


@njit(cache=True, nogil=True)
def _integer(data: npt.NDArray[np.uint8], at: int, width: int, big: bool) -> int:
    value = np.int64(0)
    for i in range(width):
        value = (value << 8) | np.int64(data[at + (i if big else width - 1 - i)])
    return int(value)


@njit(cache=True, nogil=True)
def _payload_bytes(data: npt.NDArray[np.uint8], at: int, type_: int, size: int, big: bool) -> int:
    """Bytes that follow the record at `at`; one that is too short to say so has none."""
    if type_ == _AUXTRACE and size >= _HEADER + 8:
        payload = _integer(data, at + _HEADER, 8, big)
        return payload if 0 <= payload < _HUGE else _HUGE
    if type_ == _TRACING_DATA and size >= _HEADER + 4:
        return (_integer(data, at + _HEADER, 4, big) + 7) & ~7
    return 0


@njit(cache=True, nogil=True)
def walk_headers(
    data: npt.NDArray[np.uint8],
    position: int,
    end: int,
    big: bool,
    payloads: bool,
    offsets: npt.NDArray[np.int64],
    types: npt.NDArray[np.uint32],
    sizes: npt.NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Fill `offsets`, `types` and `sizes` (header included) of the records from `position` on.

    `payloads`: AUXTRACE and TRACING_DATA are followed by their payload; one that is cut by `end` is
    still filled in. Returns the records filled, where the walk stopped, how, and how many bytes the
    record there (its header, if that is cut) lacks before `end`.
    """
    count = 0
    while count < len(offsets):
        if position == end:
            return count, position, END, 0
        left = end - position
        if left < _HEADER:
            return count, position, CUT, _HEADER - left
        type_ = _integer(data, position, 4, big)
        size = _integer(data, position + 6, 2, big)
        if size < _HEADER:
            return count, position, BAD_SIZE, 0
        if size > left:
            return count, position, CUT, size - left
        offsets[count] = position
        types[count] = type_
        sizes[count] = size
        count += 1
        payload = _payload_bytes(data, position, type_, size, big) if payloads else 0
        if payload > left - size:
            return count, position, CUT, size + payload - left
        position += size + payload
    return count, position, MORE, 0
