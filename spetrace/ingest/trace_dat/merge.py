"""The merge of all CPUs' events into one order, and their grouping by event.

trace-cmd report's order: always the earliest of the CPUs' next events, on a tie the lower CPU first,
within a CPU as recorded, whatever the times say.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.kernel_step import step


@step
def _before(times, position, a, b):  # type: ignore[no-untyped-def]
    ta, tb = times[position[a]], times[position[b]]
    return ta < tb or (ta == tb and a < b)


@step
def _sift_down(heap, size, times, position):  # type: ignore[no-untyped-def]
    at = 0
    while True:
        least = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < size and _before(times, position, heap[child], heap[least]):
                least = child
        if least == at:
            return
        heap[at], heap[least] = heap[least], heap[at]
        at = least


@step
def _start_heap(heap, times, position, ends):  # type: ignore[no-untyped-def]
    size = 0
    for stream in range(len(ends)):
        if position[stream] == ends[stream]:
            continue
        at = size
        heap[at] = stream
        size += 1
        while at and _before(times, position, heap[at], heap[(at - 1) // 2]):
            up = (at - 1) // 2
            heap[at], heap[up] = heap[up], heap[at]
            at = up
    return size


@njit(cache=True, nogil=True)
def merge_groups(position, ends, more, events, place, cursors, out):  # type: ignore[no-untyped-def]
    """Merge streams and write each event to its group's next place; returns the next `place`.

    Stream s is the part from position[s] to ends[s] of the arrays `events` (times, offsets, lengths,
    slots); `position` is moved on. Where `more` says that a stream goes on behind its end, the merge
    stops as soon as that is reached: what comes next is not known then. A slot is a group's number:
    `cursors` has where the group's next event goes in the arrays `out` (places, times, streams,
    offsets, lengths), and -1 for a group that is only counted.
    """
    times, offsets, lengths, slots = events
    out_place, out_time, out_stream, out_offset, out_length = out
    heap = np.empty(len(position), np.int64)
    size = _start_heap(heap, times, position, ends)
    for stream in range(len(ends)):
        if more[stream] and position[stream] == ends[stream]:
            return place
    while size:
        stream = heap[0]
        at, end = position[stream], ends[stream]
        rival = -1
        if size > 1:
            rival = heap[1]
            if size > 2 and _before(times, position, heap[2], rival):
                rival = heap[2]
        limit = times[position[rival]] if rival >= 0 else times[at]
        while at < end:
            time = times[at]
            if rival >= 0 and (time > limit or (time == limit and stream > rival)):
                break
            to = cursors[slots[at]]
            if to >= 0:
                cursors[slots[at]] = to + 1
                out_place[to] = place
                out_time[to] = time
                out_stream[to] = stream
                out_offset[to] = offsets[at]
                out_length[to] = lengths[at]
            place += 1
            at += 1
        position[stream] = at
        if at == end:
            if more[stream]:
                return place
            size -= 1
            heap[0] = heap[size]
        _sift_down(heap, size, times, position)
    return place


@njit(cache=True, nogil=True)
def count_slots(slots, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` how often each slot is among `slots`."""
    for i in range(len(slots)):
        counts[slots[i]] += 1
