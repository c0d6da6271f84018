"""Kernel that reads the texts of one tracepoint's events by the program of its print format."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from spetrace.ingest.event_text.ascii_kernels import (
    CLOSE,
    DASH,
    LOWER_F,
    MOST_HEX_DIGITS,
    OPEN,
    hexadecimal,
    is_blank,
    is_word,
    literal,
    long_decimal,
    skip_0x,
    skip_blanks,
    skip_word,
)
from spetrace.ingest.event_text.field import Form
from spetrace.ingest.event_text.print_format import Step
from spetrace.ingest.event_text.value_kernel import (
    put,
    put_decimal,
    put_span,
)
from spetrace.ingest.kernel_step import step

_NOISE = np.frombuffer(b"CAN'T FIND FIELD \"<CANT FIND FIELD ", np.uint8)
_NO_NOISE, _NOISE_MARKS, _NOISE_BYTES = np.int64(0), np.int64(18), np.int64(35)
_QUOTE, _MORE, _COMMA = (ord(c) for c in '">,')
_REGISTER_SHIFTS = (19, 16, 12, 8, 5)
_FEWEST_IP_DIGITS = 5
_NOTHING = np.uint64(0)
_LITERAL, _FIELD, _SKIP, _OPTION = (
    int(s) for s in (Step.LITERAL, Step.FIELD, Step.SKIP, Step.OPTION)
)
_FINISH = -1
_FIRST: Any = np.int64(0)
_NONE: Any = np.int64(-1)
"""Not plain ints, for which numba would compile the steps that take them anew."""
_HEXADECIMAL, _DECIMAL, _CHOICE = int(Form.HEXADECIMAL), int(Form.DECIMAL), int(Form.CHOICE)
_POINTER, _TEXT, _NEGATED = int(Form.POINTER), int(Form.TEXT), int(Form.NEGATED)
_NAMED, _SYSTEM_REGISTER = int(Form.NAMED), int(Form.SYSTEM_REGISTER)


@step
def _skip_noise(data, at, end):  # type: ignore[no-untyped-def]
    """Past what trace-cmd's x86 plug-in complains about."""
    while True:
        mark = _QUOTE
        to = literal(data, at, end, _NOISE, _NO_NOISE, _NOISE_MARKS)
        if to < 0:
            mark = _MORE
            to = literal(data, at, end, _NOISE, _NOISE_MARKS, _NOISE_BYTES)
        if to < 0:
            return skip_blanks(data, at, end)
        to = skip_word(data, to, end)
        if to >= end or data[to] != mark:
            return skip_blanks(data, at, end)
        at = to + 1


@step
def _at_end(data, at, end):  # type: ignore[no-untyped-def]
    """Whether the event's text ends at `at`: perf script may print addr, ip and sym behind it."""
    to = skip_blanks(data, at, end)
    if to == end:
        return True
    if to == at:
        return False
    _, fits, behind = hexadecimal(data, to, end)
    long = fits and behind - to >= _FEWEST_IP_DIGITS
    return long and (behind == end or is_blank(data[behind]))


@step
def _in_brackets(data, at, end):  # type: ignore[no-untyped-def]
    """` (NUMBER)` at `at`."""
    if at + 1 >= end or data[at] != 32 or data[at + 1] != OPEN:
        return _NOTHING, False, -1
    number, fits, to = long_decimal(data, at + 2, end)
    if to < 0 or to >= end or data[to] != CLOSE:
        return _NOTHING, False, -1
    return number, fits, to + 1


@step
def _word(data, at, end, words, texts, first, last):  # type: ignore[no-untyped-def]
    """The word at `at` and the place behind it; below 0 where none of them stands there."""
    for k in range(first, last):
        to = literal(data, at, end, texts, words[k, 0], words[k, 1])
        if to >= 0:
            return k, to
    return -1, -1


@step
def _choice(data, at, end, words, texts, first, last):  # type: ignore[no-untyped-def]
    to = at
    while to < end and (is_word(data[to]) or data[to] == DASH):
        to += 1
    if to == at:
        return _NOTHING, False, -1
    for k in range(first, last):
        if literal(data, at, to, texts, words[k, 0], words[k, 1]) == to:
            return np.uint64(words[k, 2]), True, to
    bare = skip_0x(data, at, to)
    number, fits, behind = hexadecimal(data, bare, to)
    return number, fits and bare > at and behind == to, to


@step
def _pointer(data, at, end, leave):  # type: ignore[no-untyped-def]
    """A word of any bytes but the last `leave`, which are those of the literal behind it."""
    to = at
    while to < end and not is_blank(data[to]):
        to += 1
    to -= leave
    if to < at:
        return _NOTHING, False, -1
    bare = skip_0x(data, at, to)
    number, fits, behind = hexadecimal(data, bare, to)
    is_kernel = to - at == MOST_HEX_DIGITS and data[at] == LOWER_F
    is_number = behind == to and to - bare <= MOST_HEX_DIGITS and (bare > at or is_kernel)
    return number, fits and is_number, to


@step
def _register(data, at, end):  # type: ignore[no-untyped-def]
    register = np.uint64(0)
    all_fit = True
    for k in range(5):
        if k and (at >= end or data[at] != _COMMA):
            return _NOTHING, False, -1
        number, fits, at = long_decimal(data, at + (k > 0), end)
        if at < 0:
            return _NOTHING, False, -1
        all_fit = all_fit and fits and number < np.uint64(1 << 16)
        register += number << np.uint64(_REGISTER_SHIFTS[k])
    return register, all_fit, at


@step
def _leave(steps, k, texts):  # type: ignore[no-untyped-def]
    """How many bytes of the literal behind step k stand before its first blank."""
    if k + 1 >= len(steps) or steps[k + 1, 0] != _LITERAL:
        return 0
    at = steps[k + 1, 2]
    while at < steps[k + 1, 3] and texts[at] != 32:
        at += 1
    return at - steps[k + 1, 2]


@step
def _read_number(data, at, end, steps, k, words, texts, form, digits):  # type: ignore[no-untyped-def]
    """The number that step k's field is printed as, whether it is known and fits 64 bits, and the
    place behind it: below 0 where the field doesn't stand at `at`.
    """
    first, last = steps[k, 2], steps[k, 3]
    if form == _HEXADECIMAL:
        at = skip_0x(data, skip_blanks(data, at, end), end)
        number, fits, to = hexadecimal(data, at, end)
        return number, fits, to if to - at >= digits else -1
    if form == _CHOICE:
        return _choice(data, at, end, words, texts, first, last)
    if form == _POINTER:
        return _pointer(data, at, end, _leave(steps, k, texts))
    if form == _SYSTEM_REGISTER:
        return _register(data, at, end)
    if form == _NAMED:
        to = skip_word(data, at, end)
        return _in_brackets(data, to, end if to > at else to)
    word, to = _word(data, at, end, words, texts, first, last)
    if word < 0:
        return _NOTHING, False, -1
    if form == _NEGATED:
        return _in_brackets(data, to, end)
    return np.uint64(words[word, 2]), True, to


@step
def _read_field(data, at, end, steps, k, words, fields, texts, values, valid, i):  # type: ignore[no-untyped-def]
    """The place behind the print of step k's field, below 0 where it doesn't stand at `at`."""
    f = steps[k, 1]
    form = fields[f, 0]
    if form == _TEXT:
        put_span(values, valid, i, f, at, end)
        return end
    if form == _DECIMAL:
        return put_decimal(data, at, end, values, valid, i, f, fields)
    number, fits, to = _read_number(data, at, end, steps, k, words, texts, form, fields[f, 3])
    if to >= 0:
        put(values, valid, i, f, fields, number, form == _NEGATED, fits)
    return to


@step
def _skip_to_literal(data, at, end, steps, k, texts):  # type: ignore[no-untyped-def]
    """The first place where the literal of step k stands; the end where step k is none."""
    if k >= len(steps) or steps[k, 0] != _LITERAL:
        return end
    while at < end:
        if literal(data, at, end, texts, steps[k, 2], steps[k, 3]) >= 0:
            return at
        at += 1
    return -1


@step
def _forget(steps, first, last, valid, i):  # type: ignore[no-untyped-def]
    """Take back the fields of the steps from `first` to `last`."""
    for k in range(first, last + 1):
        if steps[k, 0] == _FIELD:
            valid[i, steps[k, 1]] = False


@step
def _read_text(data, at, end, steps, words, fields, texts, values, valid, i):  # type: ignore[no-untyped-def]
    """Whether the text fits; then its fields are in `values`, as far as `valid`."""
    option = option_at = skip = skip_at = _NONE
    k = _FIRST
    while True:
        kind = steps[k, 0] if k < len(steps) else _FINISH
        if kind == _FINISH:
            if _at_end(data, at, end):
                return True
            to = -1
        elif kind == _LITERAL:
            to = literal(data, at, end, texts, steps[k, 2], steps[k, 3])
        elif kind == _FIELD:
            to = _read_field(data, at, end, steps, k, words, fields, texts, values, valid, i)
        elif kind == _SKIP:
            to = _skip_to_literal(data, at, end, steps, k + 1, texts)
            skip, skip_at = (k, to) if to < end else (-1, -1)
        else:
            option = k if kind == _OPTION else -1
            option_at = to = at
        if to < 0:
            if option >= 0:
                _forget(steps, option, k, valid, i)
                to, k, option = option_at, steps[option, 1] - 1, -1
            elif skip_at >= 0:
                to, k = skip_at + 1, skip - 1
            else:
                return False
        at = to
        k += 1


@njit(cache=True, nogil=True)
def read_texts(data, starts, ends, steps, words, fields, texts, values, valid, fits):  # type: ignore[no-untyped-def]
    """fits[i] = whether the text data[starts[i]:ends[i]] is of the format; values[i, f] and
    valid[i, f] (zeros) are field f of it: an integer's bits, or first << 32 | last place of a string.
    """
    for i in range(len(starts)):
        at = _skip_noise(data, starts[i], ends[i])
        fits[i] = _read_text(data, at, ends[i], steps, words, fields, texts, values, valid, i)
        if not fits[i]:
            for f in range(valid.shape[1]):
                valid[i, f] = False
