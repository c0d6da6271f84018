"""The compiled lexer of JSON Lines: flat objects of integers, names and lists of integers.

It reads a subset of JSON whose meaning is beyond doubt and marks every other line odd: escapes,
floats, nested objects, bytes that are not plain ASCII, wrong syntax, a key twice, names it doesn't
know, integers beyond 64 bits. Odd lines are read again in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from spetrace.ingest.event_log.fields import INTEGERS
from spetrace.ingest.event_log.json_scalars import (
    COLUMNS,
    FIRST_NAME,
    NAME_COUNT,
    NULL,
    TRUE,
    Bytes,
    U64s,
    known_word,
    read_integer,
    read_list,
    skip_space,
    string_end,
)
from spetrace.tables.events import EVENTS

_TS, _TABLES, _WRITABLE = map(EVENTS.names.index, ("ts", "tables", "writable"))
_IS_INTEGER = np.array([name in INTEGERS for name in EVENTS.names])


def lex_lines(data: Bytes) -> dict[str, npt.NDArray[Any]]:
    """The lines of `data` that are not blank, with the values of their known keys.

    `values` (lines x columns of table events, uint64): integers (`ts` as two's complement), the
    position of a name in its list, 1 for true, and for `tables` the number of elements; `present`
    has a bit for each column that has a value; `tables` are the elements of all lists in order;
    `starts` and `ends` place the lines in `data` and `numbers` counts them (with the blank ones)
    from 0; `odd` marks lines of which nothing else holds.
    """
    rows = _count_lines(data)
    out: dict[str, npt.NDArray[Any]] = {
        "values": np.empty((rows, COLUMNS), np.uint64),
        "present": np.zeros(rows, np.uint32),
        "odd": np.zeros(rows, np.bool_),
        "starts": np.empty(rows, np.int64),
        "ends": np.empty(rows, np.int64),
        "numbers": np.empty(rows, np.int64),
        "tables": np.empty(len(data) // 2 + 1, np.uint64),
    }
    used = _lex(data, *out.values())
    return out | {"tables": out["tables"][:used]}


@njit(cache=True, nogil=True)
def _count_lines(data: Bytes) -> int:
    """Number of lines that hold more than blanks."""
    count = 0
    blank = True
    for byte in data:
        if byte == 0x0A:
            count += not blank
            blank = True
        elif byte != 0x20 and byte != 0x09 and byte != 0x0D:
            blank = False
    return count + (not blank)


@njit(cache=True, nogil=True)
def _lex(
    data: Bytes,
    values: U64s,
    present: npt.NDArray[np.uint32],
    odd: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    tables: U64s,
) -> int:
    """Fill the arrays of `lex_lines`; returns the number of elements in `tables`."""
    row, used, number, start = 0, 0, 0, 0
    while start < len(data):
        end = start
        while end < len(data) and data[end] != 0x0A:
            end += 1
        if skip_space(data, start, end) < end:
            starts[row], ends[row], numbers[row] = start, end, number
            bits = _object(data, start, end, values[row], tables, used)
            if bits < 0:
                odd[row] = True
            else:
                present[row] = bits
                if bits >> _TABLES & 1:
                    used += int(values[row, _TABLES])
            row += 1
        number += 1
        start = end + 1
    return used


@njit(cache=True, nogil=True)
def _object(data: Bytes, i: int, end: int, row: U64s, tables: U64s, used: int) -> int:
    """One line's object into `row`, its list into `tables[used:]`; bits of its columns, -1 if odd."""
    bits = 0
    i = skip_space(data, i, end)
    if data[i] != 0x7B:
        return -1
    i = skip_space(data, i + 1, end)
    closed = i < end and data[i] == 0x7D
    while not closed:
        column, i = _key(data, i, end)
        if i < 0 or (column >= 0 and bits >> column & 1):
            return -1
        i, present = _value(data, i, end, column, row, tables, used)
        if i < 0:
            return -1
        if present:
            bits |= 1 << column
        i = skip_space(data, i, end)
        if i >= end or (data[i] != 0x2C and data[i] != 0x7D):
            return -1
        closed = data[i] == 0x7D
        if not closed:
            i = skip_space(data, i + 1, end)
    return bits if skip_space(data, i + 1, end) == end else -1


@njit(cache=True, nogil=True)
def _key(data: Bytes, i: int, end: int) -> tuple[int, int]:
    """A key and its colon: (column or -1 for an unknown key, where the value starts or -1 if odd)."""
    close = string_end(data, i, end)
    if close < 0:
        return -1, -1
    column = known_word(data, i + 1, close, 0, COLUMNS)
    i = skip_space(data, close + 1, end)
    if i >= end or data[i] != 0x3A:
        return -1, -1
    return column, skip_space(data, i + 1, end)


@njit(cache=True, nogil=True)
def _value(
    data: Bytes, i: int, end: int, column: int, row: U64s, tables: U64s, used: int
) -> tuple[int, bool]:
    """A value of `column` (-1: any) into `row`: (where it ends or -1 if odd, whether it is there)."""
    if i >= end:
        return -1, False
    if 0x61 <= data[i] <= 0x7A:
        return _literal(data, i, end, column, row)
    if column < 0:
        if data[i] == 0x22:
            return string_end(data, i, end) + 1 or -1, False
        after, _, _ = read_integer(data, i, end)
        return after, False
    if column == _TABLES:
        after, count = read_list(data, i, end, tables, used)
        row[column] = count
        return after, True
    if _IS_INTEGER[column]:
        after, negative, number = read_integer(data, i, end)
        if negative and column != _TS:
            return -1, False
        if column == _TS and number > np.uint64(0x7FFFFFFFFFFFFFFF):
            return -1, False
        row[column] = np.uint64(0) - number if negative else number
        return after, True
    close = string_end(data, i, end)
    if close < 0:
        return -1, False
    first = FIRST_NAME[column]
    name = known_word(data, i + 1, close, first, first + NAME_COUNT[column])
    row[column] = name - first
    return (close + 1 if name >= 0 else -1), True


@njit(cache=True, nogil=True)
def _literal(data: Bytes, i: int, end: int, column: int, row: U64s) -> tuple[int, bool]:
    """A null of any column, a true or false of `writable` or an unknown key."""
    start = i
    while i < end and 0x61 <= data[i] <= 0x7A:
        i += 1
    word = known_word(data, start, i, NULL, TRUE + 1)
    if word == NULL:
        return i, False
    if word < 0 or (column != _WRITABLE and column >= 0):
        return -1, False
    if column >= 0:
        row[column] = word == TRUE
    return i, column >= 0
