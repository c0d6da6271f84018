"""The compiled decoder: one pass over the bytes, from header to header.

The table gives each header byte a code and a size, so that most packets take the same few
instructions whatever their kind: load eight bytes, mask, store to the record's place in the slot's
row, step on. Only padding, ends, extended headers, other counters and errors branch off.
`reference.py` says the same in plain Python.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from spetrace.ingest.spe.header_table import (
    BAD,
    END,
    EXTENDED,
    PADDING,
    PAYLOAD_SLOTS,
    UNASSIGNED,
    HeaderTable,
    Slot,
)
from spetrace.ingest.spe.raw_records import (
    AT,
    BAD_PACKETS,
    BEGIN,
    CUT_RECORDS,
    MOST_OTHERS,
    OTHERS,
    PRESENT,
    ROWS,
    WITHOUT_TIME,
    RawRecords,
)
from spetrace.ingest.spe.windows import Window

_TIMESTAMP = int(Slot.TIMESTAMP)
_OTHER_COUNTERS = int(Slot.OTHER_COUNTERS)
_ONE = np.uint64(1)
_LARGEST_SIZE = np.uint64((1 << 32) - 1)


@njit(cache=True, nogil=True)
def decode_window(
    window: Window, table: HeaderTable, records: RawRecords, state: npt.NDArray[np.uint64]
) -> bool:
    """Decode a window's packets, from where `state` is; True when done, False when `records` is full.

    Call it again with the same window after emptying `records`.
    """
    data, base, stop, end = window
    position = state[AT] - base
    present = np.uint32(state[PRESENT])
    row = state[ROWS]
    is_full = False
    while position < stop:
        code = table.code[data[position]]
        if code == PADDING:
            position += _ONE
            while position < stop and data[position] == 0:
                position += _ONE
            continue
        last = position
        if code == EXTENDED:
            code, skip = _extended(data, position, base, end, table)
            if code == PADDING:
                position += skip
                continue
            last += skip
        after = last + np.uint64(table.size[data[last]])
        if code >= UNASSIGNED or after > end:
            is_whole = code == UNASSIGNED and after <= end
            position = after if is_whole else position + _ONE
            _drop(records, state, present, base + position)
            present = np.uint32(0)
            continue
        if code < PAYLOAD_SLOTS:
            header = data[last]
            payload = _load(data, last + _ONE) & table.keep[header]
            records.payloads[code, row] = payload | table.extra[header]
        elif code == _OTHER_COUNTERS:
            _add_other(records, state, data, position, last)
        position = after
        if code == END and present == 0:
            _drop(records, state, present, base + position)
            continue
        present |= np.uint32(1) << np.uint32(code)
        if code in (_TIMESTAMP, END):
            is_full = _close(records, state, present, base + position)
            present = np.uint32(0)
            row += _ONE
            if is_full:
                break
    state[AT] = base + position
    state[PRESENT] = present
    return not is_full


@njit(cache=True, nogil=True)
def _extended(
    data: npt.NDArray[np.uint8],
    position: np.uint64,
    base: np.uint64,
    end: np.uint64,
    table: HeaderTable,
) -> tuple[int, np.uint64]:
    """Code of a packet with a two-byte header, and the distance to its second byte.

    For an alignment packet PADDING, and the distance to its end.
    """
    if position + _ONE >= end:
        return BAD, np.uint64(0)
    first, second = np.uint64(data[position]), np.uint64(data[position + _ONE])
    if second == 0:
        alignment = np.uint64(2) << (first & np.uint64(3))
        if alignment > end - position:
            return BAD, np.uint64(0)
        return PADDING, alignment - ((base + position) & (alignment - _ONE))
    pattern = second & np.uint64(0xF8)
    if pattern != 0xB0 and pattern != 0x98:
        return BAD, np.uint64(0)
    index = second & np.uint64(7)
    if first & np.uint64(3):
        index = np.uint64(7)  # the highest short index is as unassigned as all above it
    return table.code[pattern | index], _ONE


@njit(cache=True, nogil=True)
def _load(data: npt.NDArray[np.uint8], position: np.uint64) -> np.uint64:
    """Eight bytes, little-endian: compiles to one load."""
    word = np.uint64(data[position])
    for i in range(1, 8):
        word |= np.uint64(data[position + np.uint64(i)]) << np.uint64(8 * i)
    return word


@njit(cache=True, nogil=True)
def _drop(
    records: RawRecords, state: npt.NDArray[np.uint64], present: np.uint32, at: np.uint64
) -> None:
    """Drop the record being collected because of a bad packet; the next begins at `at`.

    An end packet of an empty record is one, too: it comes from the inside of a cut packet.
    """
    state[BAD_PACKETS] += _ONE
    if present:
        state[CUT_RECORDS] += _ONE
    state[OTHERS] = np.uint64(records.other_ends[state[ROWS]])
    state[BEGIN] = at


@njit(cache=True, nogil=True)
def _close(
    records: RawRecords, state: npt.NDArray[np.uint64], present: np.uint32, at: np.uint64
) -> bool:
    """Finish the record being collected, which ends at `at`; whether there is room for no other."""
    row = state[ROWS]
    records.present[row] = np.uint16(present)
    records.begins[row] = state[BEGIN]
    records.sizes[row] = np.uint32(min(at - state[BEGIN], _LARGEST_SIZE))
    records.other_ends[row + _ONE] = state[OTHERS]
    if not present & np.uint32(1 << _TIMESTAMP):
        state[WITHOUT_TIME] += _ONE
    row += _ONE
    state[ROWS] = row
    state[BEGIN] = at
    others_left = np.uint64(len(records.other_values)) - state[OTHERS]
    return bool(row == np.uint64(len(records.present)) or others_left < MOST_OTHERS)


@njit(cache=True, nogil=True)
def _add_other(
    records: RawRecords,
    state: npt.NDArray[np.uint64],
    data: npt.NDArray[np.uint8],
    position: np.uint64,
    last: np.uint64,
) -> None:
    """Keep a counter of no architected name; the last of an index replaces those before it."""
    index = data[last] & 7
    if last != position:
        index |= (data[position] & 3) << 3
    value = np.uint16(data[last + _ONE]) | np.uint16(data[last + np.uint64(2)]) << np.uint16(8)
    entry = np.uint64(records.other_ends[state[ROWS]])
    while entry < state[OTHERS] and records.other_indices[entry] != index:
        entry += _ONE
    records.other_indices[entry] = index
    records.other_values[entry] = value
    if entry == state[OTHERS]:
        state[OTHERS] += _ONE
