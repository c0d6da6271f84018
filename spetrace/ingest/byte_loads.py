"""Unaligned loads of integers of either byte order, for kernels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, inline="always")
def load_u16(data, at, big):  # type: ignore[no-untyped-def]
    """The 16-bit integer at data[at] (uint8 array, uint64 index) as uint64."""
    a = np.uint64(data[at])
    b = np.uint64(data[at + np.uint64(1)])
    return (a << np.uint64(8) | b) if big else (b << np.uint64(8) | a)


@njit(cache=True, nogil=True, inline="always")
def load_u32(data, at, big):  # type: ignore[no-untyped-def]
    """The 32-bit integer at data[at] as uint64."""
    a = load_u16(data, at, big)
    b = load_u16(data, at + np.uint64(2), big)
    return (a << np.uint64(16) | b) if big else (b << np.uint64(16) | a)


@njit(cache=True, nogil=True, inline="always")
def load_u64(data, at, big):  # type: ignore[no-untyped-def]
    """The 64-bit integer at data[at] as uint64."""
    a = load_u32(data, at, big)
    b = load_u32(data, at + np.uint64(4), big)
    return (a << np.uint64(32) | b) if big else (b << np.uint64(32) | a)
