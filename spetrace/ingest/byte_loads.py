"""Unaligned loads of integers of either byte order, for kernels.

All are little-endian loads, swapped where asked for: LLVM makes one load of each, and one instruction
of the swap.
"""

from __future__ import annotations

import numpy as np

from spetrace.ingest.kernel_step import inlined_step

_ONE, _TWO, _FOUR = np.uint64(1), np.uint64(2), np.uint64(4)
_BYTE, _HALF, _WORD = np.uint64(8), np.uint64(16), np.uint64(32)
_BYTES = np.uint64(0x00FF00FF)
"""Every second byte of 32 bits."""


@inlined_step
def _little_u32(data, at):  # type: ignore[no-untyped-def]
    low = np.uint64(data[at]) | np.uint64(data[at + _ONE]) << _BYTE
    at += _TWO
    return low | (np.uint64(data[at]) | np.uint64(data[at + _ONE]) << _BYTE) << _HALF


@inlined_step
def _swapped_u32(value):  # type: ignore[no-untyped-def]
    pairs = (value & _BYTES) << _BYTE | (value >> _BYTE) & _BYTES
    return np.uint64(np.uint32(pairs << _HALF | pairs >> _HALF))


@inlined_step
def load_u16(data, at, big):  # type: ignore[no-untyped-def]
    """The 16-bit integer at data[at] (uint8 array, uint64 index) as uint64."""
    a = np.uint64(data[at])
    b = np.uint64(data[at + _ONE])
    return a << _BYTE | b if big else b << _BYTE | a


@inlined_step
def load_u32(data, at, big):  # type: ignore[no-untyped-def]
    """The 32-bit integer at data[at] as uint64."""
    value = _little_u32(data, at)
    return _swapped_u32(value) if big else value


@inlined_step
def load_u64(data, at, big):  # type: ignore[no-untyped-def]
    """The 64-bit integer at data[at] as uint64."""
    low, high = _little_u32(data, at), _little_u32(data, at + _FOUR)
    if big:
        return _swapped_u32(low) << _WORD | _swapped_u32(high)
    return high << _WORD | low
