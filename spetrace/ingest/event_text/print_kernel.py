"""Kernel that reads the texts of one tracepoint's events by the program of its print format."""

from __future__ import annotations

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
from spetrace.ingest.event_text.value_kernel import put, put_decimal, put_span

_NOISE = np.frombuffer(b"CAN'T FIND FIELD \"<CANT FIND FIELD ", np.uint8)
_NOISE_MARKS, _NOISE_BYTES = 18, 35
_QUOTE, _MORE, _COMMA = (ord(c) for c in '">,')
_REGISTER_SHIFTS = (19, 16, 12, 8, 5)
_FEWEST_IP_DIGITS = 5


@njit(cache=True, nogil=True)
def _skip_noise(data, at, end):  # type: ignore[no-untyped-def]
    """Past what trace-cmd's x86 plug-in complains about."""
    while True:
        mark = _QUOTE
        to = literal(data, at, end, _NOISE, 0, _NOISE_MARKS)
        if to < 0:
            mark = _MORE
            to = literal(data, at, end, _NOISE, _NOISE_MARKS, _NOISE_BYTES)
        if to < 0:
            return skip_blanks(data, at, end)
        to = skip_word(data, to, end)
        if to >= end or data[to] != mark:
            return skip_blanks(data, at, end)
        at = to + 1


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _in_brackets(data, at, end, values, valid, i, f, fields, negative):  # type: ignore[no-untyped-def]
    """` (NUMBER)` at `at`."""
    if at + 1 >= end or data[at] != 32 or data[at + 1] != OPEN:
        return -1
    number, fits, to = long_decimal(data, at + 2, end)
    if to < 0 or to >= end or data[to] != CLOSE:
        return -1
    put(values, valid, i, f, fields, number, negative, fits)
    return to + 1


@njit(cache=True, nogil=True)
def _word(data, at, end, words, texts, first, last):  # type: ignore[no-untyped-def]
    """The word at `at` and the place behind it; below 0 where none of them stands there."""
    for k in range(first, last):
        to = literal(data, at, end, texts, words[k, 0], words[k, 1])
        if to >= 0:
            return k, to
    return -1, -1


@njit(cache=True, nogil=True)
def _choice(data, at, end, words, texts, first, last, values, valid, i, f, fields):  # type: ignore[no-untyped-def]
    to = at
    while to < end and (is_word(data[to]) or data[to] == DASH):
        to += 1
    if to == at:
        return -1
    for k in range(first, last):
        if literal(data, at, to, texts, words[k, 0], words[k, 1]) == to:
            put(values, valid, i, f, fields, np.uint64(words[k, 2]), False, True)
            return to
    bare = skip_0x(data, at, to)
    number, fits, behind = hexadecimal(data, bare, to)
    if bare > at and behind == to:
        put(values, valid, i, f, fields, number, False, fits)
    return to


@njit(cache=True, nogil=True)
def _pointer(data, at, end, leave, values, valid, i, f, fields):  # type: ignore[no-untyped-def]
    """A word of any bytes but the last `leave`, which are those of the literal behind it."""
    to = at
    while to < end and not is_blank(data[to]):
        to += 1
    to -= leave
    if to < at:
        return -1
    bare = skip_0x(data, at, to)
    number, fits, behind = hexadecimal(data, bare, to)
    is_kernel = to - at == MOST_HEX_DIGITS and data[at] == LOWER_F
    if behind == to and to - bare <= MOST_HEX_DIGITS and (bare > at or is_kernel):
        put(values, valid, i, f, fields, number, False, fits)
    return to


@njit(cache=True, nogil=True)
def _register(data, at, end, values, valid, i, f, fields):  # type: ignore[no-untyped-def]
    register = np.uint64(0)
    all_fit = True
    for k in range(5):
        if k and (at >= end or data[at] != _COMMA):
            return -1
        number, fits, at = long_decimal(data, at + (k > 0), end)
        if at < 0:
            return -1
        all_fit = all_fit and fits and number < np.uint64(1 << 16)
        register += number << np.uint64(_REGISTER_SHIFTS[k])
    put(values, valid, i, f, fields, register, False, all_fit)
    return at


@njit(cache=True, nogil=True)
def _leave(steps, k, texts):  # type: ignore[no-untyped-def]
    """How many bytes of the literal behind step k stand before its first blank."""
    if k + 1 >= len(steps) or steps[k + 1, 0] != Step.LITERAL:
        return 0
    at = steps[k + 1, 2]
    while at < steps[k + 1, 3] and texts[at] != 32:
        at += 1
    return at - steps[k + 1, 2]


@njit(cache=True, nogil=True)
def _read_field(data, at, end, steps, k, words, fields, texts, values, valid, i):  # type: ignore[no-untyped-def]
    """The place behind the print of step k's field, below 0 where it doesn't stand at `at`."""
    f, first, last = steps[k, 1], steps[k, 2], steps[k, 3]
    form = fields[f, 0]
    if form == Form.HEXADECIMAL:
        at = skip_0x(data, skip_blanks(data, at, end), end)
        digits, fits, to = hexadecimal(data, at, end)
        if to - at < fields[f, 3]:
            return -1
        put(values, valid, i, f, fields, digits, False, fits)
        return to
    if form == Form.DECIMAL:
        return put_decimal(data, at, end, values, valid, i, f, fields)
    if form == Form.CHOICE:
        return _choice(data, at, end, words, texts, first, last, values, valid, i, f, fields)
    if form == Form.POINTER:
        leave = _leave(steps, k, texts)
        return _pointer(data, at, end, leave, values, valid, i, f, fields)
    if form == Form.TEXT:
        put_span(values, valid, i, f, at, end)
        return end
    if form == Form.SYSTEM_REGISTER:
        return _register(data, at, end, values, valid, i, f, fields)
    if form == Form.NAMED:
        to = skip_word(data, at, end)
        return _in_brackets(data, to, end, values, valid, i, f, fields, False) if to > at else -1
    word, to = _word(data, at, end, words, texts, first, last)
    if word < 0:
        return -1
    if form == Form.NEGATED:
        return _in_brackets(data, to, end, values, valid, i, f, fields, True)
    put(values, valid, i, f, fields, np.uint64(words[word, 2]), False, True)
    return to


@njit(cache=True, nogil=True)
def _skip_to_literal(data, at, end, steps, k, texts):  # type: ignore[no-untyped-def]
    """The first place where the literal of step k stands; the end where step k is none."""
    if k >= len(steps) or steps[k, 0] != Step.LITERAL:
        return end
    while at < end:
        if literal(data, at, end, texts, steps[k, 2], steps[k, 3]) >= 0:
            return at
        at += 1
    return -1


@njit(cache=True, nogil=True)
def _forget(steps, first, last, valid, i):  # type: ignore[no-untyped-def]
    """Take back the fields of the steps from `first` to `last`."""
    for k in range(first, last + 1):
        if steps[k, 0] == Step.FIELD:
            valid[i, steps[k, 1]] = False


@njit(cache=True, nogil=True)
def _read_text(data, at, end, steps, words, fields, texts, values, valid, i):  # type: ignore[no-untyped-def]
    """Whether the text fits; then its fields are in row i of `values`, as far as `valid`."""
    option = option_at = skip = skip_at = -1
    k = 0
    while True:
        if k == len(steps):
            if _at_end(data, at, end):
                return True
            to = -1
        elif steps[k, 0] == Step.LITERAL:
            to = literal(data, at, end, texts, steps[k, 2], steps[k, 3])
        elif steps[k, 0] == Step.FIELD:
            to = _read_field(data, at, end, steps, k, words, fields, texts, values, valid, i)
        elif steps[k, 0] == Step.SKIP:
            to = _skip_to_literal(data, at, end, steps, k + 1, texts)
            skip, skip_at = (k, to) if to < end else (-1, -1)
        else:
            option = k if steps[k, 0] == Step.OPTION else -1
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
            valid[i] = False
