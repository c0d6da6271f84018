"""The compiled decoder: one pass over the bytes, from header to header.

A record of a known layout is not walked: eight words are compared, and its payloads copied. For all
others the table gives each header byte a code and a size, so that most packets take the same few
instructions whatever their kind: load eight bytes, mask, store to the record's place in the slot's
row, step on. Only padding, ends, extended headers, other counters and errors branch off.
`reference.py` says the same in plain Python.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from spetrace.ingest.kernel_step import step
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
from spetrace.ingest.spe.layouts import (
    EXTRA,
    KEEP,
    KEPT,
    MOST_LAYOUTS,
    PLACE,
    PRESENT_CODES,
    SIZE,
    SLOT,
    WIDTH,
    WORDS,
    Layouts,
)
from spetrace.ingest.spe.raw_records import (
    AT,
    BAD_PACKETS,
    BEGIN,
    CUT_RECORDS,
    LAYOUTS,
    MOST_OTHERS,
    OTHERS,
    PRESENT,
    ROWS,
    WITHOUT_TIME,
    RawRecords,
)
from spetrace.ingest.spe.windows import Window

DONE, FULL, NEW_LAYOUT = range(3)
"""How a window's decoding ends: at its end, for want of room, with a record of no known layout."""
_TIMESTAMP = int(Slot.TIMESTAMP)
_OTHER_COUNTERS = int(Slot.OTHER_COUNTERS)
_ONE = np.uint64(1)
_WIDTH = np.uint64(WIDTH)
_LARGEST_SIZE = np.uint64((1 << 32) - 1)


@njit(cache=True, nogil=True)
def decode_window(
    window: Window,
    table: HeaderTable,
    records: RawRecords,
    layouts: Layouts,
    state: npt.NDArray[np.uint64],
) -> int:
    """Decode a window's packets, from where `state` is: DONE, FULL or NEW_LAYOUT.

    If not DONE call it again with the same window, after emptying `records` where they are FULL, and
    after adding the layout of the last record where that is a NEW_LAYOUT.
    """
    data, base, stop, end = window
    position, begin = state[AT] - base, state[BEGIN] - base
    present = np.uint32(state[PRESENT])
    result, latest, is_plain = DONE, 0, False
    while position < stop and result == DONE:
        if position == begin:
            position, latest, result = _copy_known(
                window, position, layouts, latest, records, state
            )
            begin, is_plain = position, position + _WIDTH <= stop
            if position >= stop or result != DONE:
                break
        code = table.code[data[position]]
        if code == PADDING:
            position += _ONE
            while position < stop and data[position] == 0:
                position += _ONE
            continue
        last = position
        if code == EXTENDED:
            is_plain = False
            code, skip = _extended(data, position, base, end, table)
            if code == PADDING:
                position += skip
                continue
            last += skip
        after = last + np.uint64(table.size[data[last]])
        is_cut = after > end
        if code >= UNASSIGNED or is_cut or (code == END and present == 0):
            position = position + _ONE if code == BAD or is_cut else after
            _drop(records, state, present, base + position)
            present, begin = np.uint32(0), position
            continue
        is_plain = is_plain and code != _OTHER_COUNTERS
        _keep(data, position, last, code, table, records, state)
        position = after
        present |= np.uint32(1) << np.uint32(code)
        if code in (_TIMESTAMP, END):
            result = _close(records, state, present, base + position)
            if result == DONE and is_plain and position - begin <= _WIDTH:
                result = NEW_LAYOUT if state[LAYOUTS] < MOST_LAYOUTS else DONE
            present, begin = np.uint32(0), position
    state[AT] = base + position
    state[PRESENT] = present
    return result


@step
def _copy_known(
    window: Window,
    position: np.uint64,
    layouts: Layouts,
    latest: int,
    records: RawRecords,
    state: npt.NDArray[np.uint64],
) -> tuple[np.uint64, int, int]:
    """Take the records from `position` on that have known layouts.

    Returns where the first one begins that has not (or is at the window's end), the layout of the
    last one that was taken, and FULL or DONE.
    """
    data, base, stop, _ = window
    known = int(state[LAYOUTS])
    while position + _WIDTH <= stop:
        number = _find_layout(data, position, layouts, latest, known)
        if number < 0:
            break
        latest = number
        facts, payloads = layouts.facts[number], layouts.payloads[number]
        for i in range(facts[KEPT]):
            payload = _load(data, position + payloads[i, PLACE]) & payloads[i, KEEP]
            records.payloads[payloads[i, SLOT], state[ROWS]] = payload | payloads[i, EXTRA]
        position += facts[SIZE]
        if _close(records, state, np.uint32(facts[PRESENT_CODES]), base + position) == FULL:
            return position, latest, FULL
    return position, latest, DONE


@step
def _find_layout(
    data: npt.NDArray[np.uint8], position: np.uint64, layouts: Layouts, latest: int, known: int
) -> int:
    """Which of the `known` layouts the record at `position` has, sought from `latest` on; else -1."""
    number = latest
    for _ in range(known):
        differences = np.uint64(0)
        for word in range(WORDS):
            read = _load(data, position + np.uint64(8 * word))
            differences |= (read ^ layouts.headers[number, word]) & layouts.masks[number, word]
            if differences:
                break
        if differences == 0:
            return number
        number += 1
        if number == known:
            number = 0
    return -1


@step
def _keep(
    data: npt.NDArray[np.uint8],
    position: np.uint64,
    last: np.uint64,
    code: int,
    table: HeaderTable,
    records: RawRecords,
    state: npt.NDArray[np.uint64],
) -> None:
    """Keep the payload of a packet, whose last header byte is at `last`, where its slot is wanted."""
    if code < PAYLOAD_SLOTS:
        header = data[last]
        payload = _load(data, last + _ONE) & table.keep[header]
        records.payloads[code, state[ROWS]] = payload | table.extra[header]
    elif code == _OTHER_COUNTERS:
        _add_other(records, state, data, position, last)


@step
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


@step
def _load(data: npt.NDArray[np.uint8], position: np.uint64) -> np.uint64:
    """Eight bytes, little-endian: compiles to one load."""
    word = np.uint64(data[position])
    for i in range(1, 8):
        word |= np.uint64(data[position + np.uint64(i)]) << np.uint64(8 * i)
    return word


@step
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


@step
def _close(
    records: RawRecords, state: npt.NDArray[np.uint64], present: np.uint32, at: np.uint64
) -> int:
    """Finish the record being collected, which ends at `at`: FULL if there is room for no other."""
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
    is_full = row == np.uint64(len(records.present)) or others_left < MOST_OTHERS
    return FULL if is_full else DONE


@step
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
