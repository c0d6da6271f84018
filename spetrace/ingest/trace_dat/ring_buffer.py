"""The walk through ring-buffer pages: from bytes to the time and place of every event.

How it works: a page is {u64 timestamp, long commit, events}; an event is a 32-bit header (5 bits of
type_len, 27 of time delta) with its data. Linux 6.12 include/linux/ring_buffer.h,
kernel/trace/ring_buffer.c; libtraceevent 1.8.4 src/kbuffer-parse.c.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from spetrace.ingest.byte_loads import load_u16, load_u32, load_u64
from spetrace.ingest.kernel_step import step

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
"""Values of type_len that are no data (RINGBUF_TYPE_*)."""

LOST, LOST_UNKNOWN, DAMAGED = 0, 1, 2
"""Counters of `walk_pages`: events lost, places where an unknown number was, damaged pages."""

_EVENT, _SKIP, _END, _DAMAGE = 0, 1, 2, 3
_DELTA_BITS = np.uint64(27)
_DELTA_MASK = np.uint64((1 << 27) - 1)
_MISSED_EVENTS = np.uint64(1 << 31)
_MISSED_STORED = np.uint64(1 << 30)
_STAMP_HIGH_BITS = np.uint64(0xF8 << 56)
_TWO, _THREE, _FOUR, _EIGHT = np.uint64(2), np.uint64(3), np.uint64(4), np.uint64(8)


class Layout(NamedTuple):
    """What the walk must know of the recording: all in bytes, but `big_endian`."""

    page_size: int
    long_size: int
    big_endian: bool
    id_offset: int


@step
def _step(data, at, stop, time, big):  # type: ignore[no-untyped-def]
    """Read the event header at `at`; returns what it is, the time with it, the place and length of
    its data, and where the next header is.
    """
    word = load_u32(data, at, big)
    kind = word >> _DELTA_BITS if big else word & np.uint64(31)
    delta = word & _DELTA_MASK if big else word >> np.uint64(5)
    at += _FOUR
    if np.uint64(0) < kind < np.uint64(PADDING):
        length = kind << _TWO
        return _EVENT, time + delta, at, length, at + length
    if kind == np.uint64(PADDING) and delta == np.uint64(0):
        return _END, time, at, _FOUR, stop
    if at + _FOUR > stop:
        return _DAMAGE, time, at, _FOUR, stop
    extra = load_u32(data, at, big)
    if kind == np.uint64(TIME_EXTEND):
        return _SKIP, time + (extra << _DELTA_BITS) + delta, at, _FOUR, at + _FOUR
    if kind == np.uint64(TIME_STAMP):
        stamp = (extra << _DELTA_BITS) + delta
        return _SKIP, stamp | (time & _STAMP_HIGH_BITS), at, _FOUR, at + _FOUR
    if kind == np.uint64(PADDING):
        return _SKIP, time + delta, at, _FOUR, at + ((extra + _THREE) & ~_THREE)
    if extra < _FOUR:
        return _DAMAGE, time, at, _FOUR, stop
    length = extra - _FOUR
    return _EVENT, time + delta, at + _FOUR, length, at + _FOUR + ((length + _THREE) & ~_THREE)


@step
def _count_missed(data, commit, at, page_end, long_size, big, counters):  # type: ignore[no-untyped-def]
    """Count the events lost before a page; their number may stand behind its data, at `at`."""
    if not commit & _MISSED_EVENTS:
        return
    if commit & _MISSED_STORED and at + long_size <= page_end:
        stored = load_u64(data, at, big) if long_size == _EIGHT else load_u32(data, at, big)
        counters[LOST] += np.int64(stored & np.uint64(0x7FFFFFFF))
    else:
        counters[LOST_UNKNOWN] += 1


@njit(cache=True, nogil=True)
def walk_pages(data, start, end, layout, slots, out, tallies):  # type: ignore[no-untyped-def]
    """Walk the pages in data[start:end] of one CPU, all but the last of them whole.

    `slots` [65536] numbers the ids of events that are wanted, -1 for others. Each wanted event is
    written to the next place of `out` (times as uint64 in clock units, offsets and lengths of the
    records in `data`, slots), and counted in `tallies` (counters; by id all events, wanted or not;
    by block the number of wanted events, their first and their last time; how many pages a block
    has). Either may be None.
    A page that is cut by `end` gives the events that are whole.
    """
    page_size, long_size = np.uint64(layout.page_size), np.uint64(layout.long_size)
    id_offset = np.uint64(layout.id_offset)
    big = layout.big_endian
    page, end = np.uint64(start), np.uint64(end)
    count = number = 0
    while page + _EIGHT + long_size <= end:
        page_end = min(page + page_size, end)
        time = load_u64(data, page, big)
        low_half = _FOUR if big and long_size == _EIGHT else np.uint64(0)
        commit = load_u32(data, page + _EIGHT + low_half, big)
        at = page + _EIGHT + long_size
        full_stop = at + (commit & _DELTA_MASK)
        stop = min(full_stop, page_end)
        state = _DAMAGE if full_stop > page + page_size else _SKIP
        if tallies is not None:
            _count_missed(data, commit, full_stop, page_end, long_size, big, tallies[0])
        while at + _FOUR <= stop and state < _END:
            state, time, record, length, at = _step(data, at, stop, time, big)
            if state != _EVENT:
                continue
            if record + length > stop or length < id_offset + _TWO:
                state = _DAMAGE
                continue
            id_ = load_u16(data, record + id_offset, big)
            slot = slots[id_]
            if tallies is not None:
                tallies[1][id_] += 1
                if slot >= 0:
                    _tally(tallies, number, time)
            if out is not None and slot >= 0:
                out[0][count] = time
                out[1][count] = record
                out[2][count] = length
                out[3][count] = slot
                count += 1
        if tallies is not None:
            cut = page_end < full_stop <= page + page_size
            tallies[0][DAMAGED] += state == _DAMAGE and not cut
        page += page_size
        number += 1


@step
def _tally(tallies, page, time):  # type: ignore[no-untyped-def]
    _counters, _ids, events, first, last, block_pages = tallies
    block = page // block_pages
    if not events[block]:
        first[block] = last[block] = time
    events[block] += 1
    first[block] = min(first[block], time)
    last[block] = max(last[block], time)
