"""Steps of a parser over ASCII bytes, for kernels.

`data` is a uint8 array, `at` a place in it, `end` the end of the line. A step that does not match
returns a place below 0.
"""

from __future__ import annotations

import numpy as np

from spetrace.ingest.kernel_step import step

BLANK, DASH, DOT, COLON, EQUALS, UNDERSCORE = (ord(c) for c in " -.:=_")
OPEN, CLOSE, BRACKET, BRACKET_CLOSE = (ord(c) for c in "()[]")
ZERO, NINE, LOWER_A, LOWER_F, LOWER_X = (ord(c) for c in "09afx")
MOST_HEX_DIGITS = 16
PID_DIGITS, CPU_DIGITS, MOST_DIGITS = np.int64(10), np.int64(9), np.int64(19)
"""The most digits of decimal numbers; not plain ints, for each of which numba would compile anew."""
_TENTH, _LAST_DIGIT = np.uint64(((1 << 64) - 1) // 10), np.uint64(((1 << 64) - 1) % 10)


@step
def is_blank(byte):  # type: ignore[no-untyped-def]
    """Whether it is a blank or a control character that separates words."""
    return byte == 32 or 9 <= byte <= 13


@step
def is_digit(byte):  # type: ignore[no-untyped-def]
    """Whether it is a decimal digit."""
    return ZERO <= byte <= NINE


@step
def is_word(byte):  # type: ignore[no-untyped-def]
    """Whether it can be in a name: letter, digit, underscore, or part of a non-ASCII character."""
    letter = byte | 32
    return ZERO <= byte <= NINE or 97 <= letter <= 122 or byte == UNDERSCORE or byte >= 128


@step
def begins_character(byte):  # type: ignore[no-untyped-def]
    """Whether it is the first byte of a character in UTF-8."""
    return byte & 0xC0 != 0x80


@step
def skip_blanks(data, at, end):  # type: ignore[no-untyped-def]
    """The first place from `at` on that holds no blank."""
    while at < end and is_blank(data[at]):
        at += 1
    return at


@step
def skip_word(data, at, end):  # type: ignore[no-untyped-def]
    """The end of the name that begins at `at`."""
    while at < end and is_word(data[at]):
        at += 1
    return at


@step
def decimal(data, at, end, most):  # type: ignore[no-untyped-def]
    """The number of 1 to `most` (an int64, at most MOST_DIGITS) digits at `at`, and the place behind it."""
    value = np.uint64(0)
    to = at
    while to < end and is_digit(data[to]):
        value = value * np.uint64(10) + np.uint64(data[to] - ZERO)
        to += 1
    if to == at or to - at > most:
        return value, -1
    return value, to


@step
def long_decimal(data, at, end):  # type: ignore[no-untyped-def]
    """A number of any digits, whether it fits 64 bits, and the place behind it."""
    value = np.uint64(0)
    fits = True
    to = at
    while to < end and is_digit(data[to]):
        digit = np.uint64(data[to] - ZERO)
        fits = bool(fits and (value < _TENTH or (value == _TENTH and digit <= _LAST_DIGIT)))
        value = value * np.uint64(10) + digit
        to += 1
    return value, fits, to if to > at else -1


@step
def hexadecimal(data, at, end):  # type: ignore[no-untyped-def]
    """A number of any lower-case hex digits without 0x, whether it fits, the place behind it."""
    value = np.uint64(0)
    significant = 0
    to = at
    while to < end:
        byte = data[to]
        if is_digit(byte):
            digit = byte - ZERO
        elif LOWER_A <= byte <= LOWER_F:
            digit = byte - LOWER_A + 10
        else:
            break
        significant += significant > 0 or digit > 0
        value = value << np.uint64(4) | np.uint64(digit)
        to += 1
    return value, significant <= MOST_HEX_DIGITS, to if to > at else -1


@step
def skip_0x(data, at, end):  # type: ignore[no-untyped-def]
    """The place behind the 0x at `at`, or `at` where there is none."""
    if at + 1 < end and data[at] == ZERO and data[at + 1] == LOWER_X:
        return at + 2
    return at


@step
def literal(data, at, end, text, first, last):  # type: ignore[no-untyped-def]
    """The place behind text[first:last] at `at`; a blank in it stands for one or more."""
    for i in range(first, last):
        if at >= end or data[at] != text[i]:
            return -1
        at += 1
        if text[i] == BLANK and (i + 1 == last or text[i + 1] != BLANK):
            while at < end and data[at] == BLANK:
                at += 1
    return at
