"""Compiled readers of JSON's parts: blanks, strings, integers, lists of integers, known words.

Each takes `data`, a position and the line's end, and gives the position after what it read, or -1
where that is odd (see json_kernel).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from spetrace.ingest.event_log.fields import NAMES
from spetrace.tables.events import EVENTS

Bytes = npt.NDArray[np.uint8]
U64s = npt.NDArray[np.uint64]

COLUMNS = len(EVENTS.names)
WORDS = [
    *EVENTS.names,
    *("null", "false", "true"),
    *(name for names in NAMES.values() for name in names),
]
"""Columns, then literals, then the names that columns can hold."""
NULL, TRUE = COLUMNS, COLUMNS + 2
FIRST_NAME = np.zeros(COLUMNS, np.int64)
NAME_COUNT = np.zeros(COLUMNS, np.int64)
for _field, _names in NAMES.items():
    FIRST_NAME[EVENTS.names.index(_field)] = WORDS.index(_names[0], TRUE)
    NAME_COUNT[EVENTS.names.index(_field)] = len(_names)
_TEXT: Bytes = np.frombuffer("".join(WORDS).encode(), np.uint8)
_BOUNDS = np.cumsum([0, *map(len, WORDS)])


@njit(cache=True, nogil=True)
def read_list(data: Bytes, i: int, end: int, tables: U64s, used: int) -> tuple[int, int]:
    """A list of unsigned integers into `tables[used:]`: (where it ends or -1 if odd, elements)."""
    if data[i] != 0x5B:
        return -1, 0
    i = skip_space(data, i + 1, end)
    if i < end and data[i] == 0x5D:
        return i + 1, 0
    count = 0
    while i < end:
        i, negative, number = read_integer(data, i, end)
        if i < 0 or negative:
            return -1, 0
        tables[used + count] = number
        count += 1
        i = skip_space(data, i, end)
        if i < end and data[i] == 0x5D:
            return i + 1, count
        if i >= end or data[i] != 0x2C:
            return -1, 0
        i = skip_space(data, i + 1, end)
    return -1, 0


@njit(cache=True, nogil=True)
def read_integer(data: Bytes, i: int, end: int) -> tuple[int, bool, np.uint64]:
    """A decimal integer or "0x..." string: (where it ends or -1 if odd, negative, magnitude)."""
    if i < end and data[i] == 0x22:
        return _hex(data, i + 1, end)
    negative = i < end and data[i] == 0x2D
    if negative:
        i += 1
    start = i
    number = np.uint64(0)
    while i < end and 0x30 <= data[i] <= 0x39:
        digit = np.uint64(data[i] - 0x30)
        if number > np.uint64(1844674407370955161) or (
            number == np.uint64(1844674407370955161) and digit > np.uint64(5)
        ):
            return -1, False, number
        number = number * np.uint64(10) + digit
        i += 1
    if i == start or (data[start] == 0x30 and i - start > 1):
        return -1, False, number
    return i, negative, number


@njit(cache=True, nogil=True)
def _hex(data: Bytes, i: int, end: int) -> tuple[int, bool, np.uint64]:
    """The rest of a "0x..." string after its quote, as `read_integer` returns it."""
    number = np.uint64(0)
    if i + 2 >= end or data[i] != 0x30 or data[i + 1] | 0x20 != 0x78:
        return -1, False, number
    i += 2
    start = i
    while i < end and data[i] != 0x22:
        digit = data[i] - 0x30 if data[i] <= 0x39 else (data[i] | 0x20) - 0x57
        if not (0x30 <= data[i] <= 0x39 or 0x61 <= data[i] | 0x20 <= 0x66):
            return -1, False, number
        if number >> np.uint64(60):
            return -1, False, number
        number = number << np.uint64(4) | np.uint64(digit)
        i += 1
    if i == start or i >= end:
        return -1, False, number
    return i + 1, False, number


@njit(cache=True, nogil=True)
def string_end(data: Bytes, i: int, end: int) -> int:
    """Position of the quote that closes the string at `i`; -1 if there is none or it is odd."""
    if i >= end or data[i] != 0x22:
        return -1
    i += 1
    while i < end and data[i] != 0x22:
        if data[i] < 0x20 or data[i] > 0x7E or data[i] == 0x5C:
            return -1
        i += 1
    return i if i < end else -1


@njit(cache=True, nogil=True)
def known_word(data: Bytes, start: int, end: int, first: int, last: int) -> int:
    """Which of the words `first` to `last` the bytes are; -1 for none."""
    for word in range(first, last):
        begin = _BOUNDS[word]
        if _BOUNDS[word + 1] - begin == end - start:
            same = 0
            while same < end - start and data[start + same] == _TEXT[begin + same]:
                same += 1
            if same == end - start:
                return word
    return -1


@njit(cache=True, nogil=True)
def skip_space(data: Bytes, i: int, end: int) -> int:
    """The next position that holds no JSON blank."""
    while i < end and (data[i] == 0x20 or data[i] == 0x09 or data[i] == 0x0D):
        i += 1
    return i
