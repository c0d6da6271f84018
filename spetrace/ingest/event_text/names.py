"""Names in a text as numbers: each different one is looked at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from spetrace.ingest.kernel_step import step

_FNV_OFFSET, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


@step
def hash_bytes(data, at, end):  # type: ignore[no-untyped-def]
    """A 64-bit hash (FNV-1a, folded) of data[at:end]."""
    value = _FNV_OFFSET
    for place in range(at, end):
        value = (value ^ np.uint64(data[place])) * _FNV_PRIME
    return value ^ (value >> np.uint64(29))


@step
def same_bytes(data, at, end, other, other_end):  # type: ignore[no-untyped-def]
    """Whether data[at:end] is data[other:other_end]."""
    if end - at != other_end - other:
        return False
    while at < end and data[at] == data[other]:
        at += 1
        other += 1
    return at == end


@njit(cache=True, nogil=True)
def number_names(data, starts, ends, table, codes):  # type: ignore[no-untyped-def]
    """codes[i] = the number of the name data[starts[i]:ends[i]] in order of appearance, -1 where
    ends[i] is 0. Returns the row of each number's first appearance.

    `table` is filled with -1 and has a power of two of places, more than there are names.
    """
    firsts = np.empty(len(starts), np.int64)
    count, last = 0, -1
    mask = np.uint64(len(table) - 1)
    for i in range(len(starts)):
        codes[i] = -1
        if ends[i] == 0:
            continue
        if last >= 0 and same_bytes(data, starts[i], ends[i], starts[last], ends[last]):
            codes[i] = codes[last]
            continue
        last = i
        place = hash_bytes(data, starts[i], ends[i]) & mask
        while True:
            code = table[place]
            if code < 0:
                table[place] = code = count
                firsts[count] = i
                count += 1
            first = firsts[code]
            if same_bytes(data, starts[i], ends[i], starts[first], ends[first]):
                codes[i] = code
                break
            place = (place + np.uint64(1)) & mask
    return firsts[:count].copy()


def find_names(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], list[str]]:
    """The names data[start:end] as numbers (-1 where the end is 0) and, by number, as text."""
    codes = np.empty(len(starts), np.int32)
    table = np.full(1 << (2 * len(starts) + 1).bit_length(), -1, np.int32)
    firsts = number_names(data, starts, ends, table, codes)
    names = [
        bytes(data[start:end]).decode("utf-8", "replace")
        for start, end in zip(starts[firsts].tolist(), ends[firsts].tolist(), strict=True)
    ]
    return codes, names
