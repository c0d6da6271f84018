"""The walk through samples to their RAW bytes, compiled: a recording may hold millions of samples."""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.byte_loads import load_u32, load_u64


@njit(cache=True, nogil=True, inline="always")
def _i32(data, at, big):  # type: ignore[no-untyped-def]
    return np.int32(np.uint32(load_u32(data, np.uint64(at), big)))


@njit(cache=True, nogil=True)
def _counted(data, at, end, words, big):  # type: ignore[no-untyped-def]
    """Where an array of `words` 64-bit words each ends whose count is at `at`; -1: after `end`."""
    if end - at < 8:
        return np.int64(-1)
    count = np.int64(load_u64(data, np.uint64(at), big))
    if count < 0 or count > (end - at - 8) // (8 * words):
        return np.int64(-1)
    return at + 8 + 8 * words * count


@njit(cache=True, nogil=True)
def _raw_at(data, at, end, layout, big):  # type: ignore[no-untyped-def]
    """Where RAW begins; -1 where what is before it reaches past `end`."""
    _, _, _, _, read_values, member_words, callchain = layout
    if read_values >= 0:
        if member_words >= 0:
            after = _counted(data, at, end - 8 * (read_values - 1), member_words, big)
            at = after + 8 * (read_values - 1) if after >= 0 else after
        else:
            at += 8 * read_values
    if callchain and at >= 0:
        at = _counted(data, at, end, 1, big)
    return at if at <= end - 4 else np.int64(-1)


@njit(cache=True, nogil=True)
def locate_samples(data, offsets, sizes, events, layouts, big, out):  # type: ignore[no-untyped-def]
    """Fill the arrays `out` (time, pid, tid, cpu, start and length of RAW, event) of whole samples.

    `offsets`, `sizes` and `events` are the samples' records, which lie in `data`, and the rows of
    their events in `layouts` (fields of SampleLayout). Absent numbers are -1, as are times beyond
    63 bits. A sample whose fields reach past its record is left out. Returns how many were filled.
    """
    times, pids, tids, cpus, starts, lengths, owners = out
    count = 0
    for i in range(len(offsets)):
        row = layouts[events[i]]
        layout = (row[0], row[1], row[2], row[3], row[4], row[5], row[6])
        start, end = offsets[i], offsets[i] + sizes[i]
        tid, time, cpu, fixed_end = row[0], row[1], row[2], row[3]
        raw = _raw_at(data, start + fixed_end, end, layout, big) if fixed_end <= sizes[i] else -1
        if raw < 0:
            continue
        length = np.int64(load_u32(data, np.uint64(raw), big))
        if length > end - raw - 4:
            continue
        moment = np.int64(load_u64(data, np.uint64(start + time), big)) if time >= 0 else -1
        times[count] = max(moment, np.int64(-1))
        pids[count] = _i32(data, start + tid, big) if tid >= 0 else np.int32(-1)
        tids[count] = _i32(data, start + tid + 4, big) if tid >= 0 else np.int32(-1)
        cpus[count] = _i32(data, start + cpu, big) if cpu >= 0 else np.int32(-1)
        starts[count] = raw + 4
        lengths[count] = length
        owners[count] = events[i]
        count += 1
    return count
