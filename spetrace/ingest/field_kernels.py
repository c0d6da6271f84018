"""Kernels that gather one field of many records into arrays.

All take the bytes as a uint8 array and uint64 places in it; the caller vouches that every place from
`starts[i]` to `starts[i] + sizes[i]` is inside.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.byte_loads import load_u16, load_u32, load_u64


@njit(nogil=True, inline="always")
def _load(data, at, size, signed, big):  # type: ignore[no-untyped-def]
    if size == 8:
        return load_u64(data, at, big)
    if size == 4:
        value = load_u32(data, at, big)
        return np.uint64(np.int64(np.int32(value))) if signed else value
    if size == 2:
        value = load_u16(data, at, big)
        return np.uint64(np.int64(np.int16(value))) if signed else value
    value = np.uint64(data[at])
    return np.uint64(np.int64(np.int8(value))) if signed else value


@njit(cache=True, nogil=True)
def gather_integers(data, offsets, lengths, place, size, signed, big, out):  # type: ignore[no-untyped-def]
    """out[i] = the integer of `size` bytes at offsets[i] + place; 0 where the record is shorter.

    Returns how many records are shorter.
    """
    short = 0
    end = place + size
    for i in range(len(offsets)):
        if lengths[i] < end:
            out[i] = 0
            short += 1
        else:
            out[i] = _load(data, np.uint64(offsets[i] + place), size, signed, big)
    return short


@njit(cache=True, nogil=True)
def locate_dynamic(data, offsets, lengths, place, relative, big, starts, sizes):  # type: ignore[no-untyped-def]
    """Follow the descriptors at offsets[i] + place to `starts` and `sizes`; size -1 where it leaves
    the record. Returns how many do.
    """
    damaged = 0
    for i in range(len(offsets)):
        starts[i] = offsets[i]
        sizes[i] = -1
        if lengths[i] >= place + 4:
            descriptor = load_u32(data, np.uint64(offsets[i] + place), big)
            start = np.int64(descriptor & np.uint64(0xFFFF))
            if relative:
                start += place + 4
            size = np.int64(descriptor >> np.uint64(16))
            if start + size <= lengths[i]:
                starts[i] = offsets[i] + start
                sizes[i] = size
        damaged += sizes[i] < 0
    return damaged


@njit(cache=True, nogil=True)
def cut_at_nul(data, starts, sizes):  # type: ignore[no-untyped-def]
    """Shorten sizes[i] to the bytes before the first NUL."""
    for i in range(len(starts)):
        at, end = np.uint64(starts[i]), np.uint64(starts[i] + max(sizes[i], 0))
        while at < end and data[at]:
            at += np.uint64(1)
        if sizes[i] > 0:
            sizes[i] = np.int64(at) - starts[i]


@njit(cache=True, nogil=True)
def gather_bytes(data, starts, ends, out):  # type: ignore[no-untyped-def]
    """Copy the bytes from starts[i] on to out[ends[i]:ends[i + 1]]."""
    for i in range(len(starts)):
        at = np.uint64(starts[i])
        for to in range(np.uint64(ends[i]), np.uint64(ends[i + 1])):
            out[to] = data[at]
            at += np.uint64(1)


@njit(cache=True, nogil=True)
def gather_items(data, starts, ends, size, signed, big, out):  # type: ignore[no-untyped-def]
    """Copy integers of `size` bytes from starts[i] on to out[ends[i]:ends[i + 1]]."""
    for i in range(len(starts)):
        at = starts[i]
        for to in range(ends[i], ends[i + 1]):
            out[to] = _load(data, np.uint64(at), size, signed, big)
            at += size
