"""Kernels that store a field's value, and that read it from a list of name=value."""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.event_text.ascii_kernels import (
    BRACKET_CLOSE,
    CLOSE,
    DASH,
    EQUALS,
    MOST_DIGITS,
    OPEN,
    decimal,
    hexadecimal,
    long_decimal,
    skip_0x,
    skip_blanks,
)
from spetrace.ingest.event_text.field import Form
from spetrace.ingest.kernel_step import step

_COMMA = ord(",")
_HEXADECIMAL, _POINTER, _TEXT = int(Form.HEXADECIMAL), int(Form.POINTER), int(Form.TEXT)
_ONE = np.uint64(1)
_POSITIVE = np.bool_(False)
"""Not a plain bool, for which numba would compile `put` anew."""


@step
def put(values, valid, i, f, fields, number, negative, fits):  # type: ignore[no-untyped-def]
    """Store a number as field f of a row, if the field's type (bits, signed) can hold it."""
    bits, signed = np.uint64(fields[f, 1]), fields[f, 2] != 0
    half = _ONE << (bits - _ONE)
    if negative:
        fits = fits and (number == 0 or (signed and number <= half))
        values[i, f] = np.uint64(-np.int64(number))
    else:
        last = half - _ONE + (np.uint64(0) if signed else half)
        fits = fits and number <= last
        values[i, f] = number
    valid[i, f] = fits


@step
def put_decimal(data, at, end, values, valid, i, f, fields):  # type: ignore[no-untyped-def]
    """Store the decimal number at `at`; the place behind it, below 0 where there is none."""
    negative = at < end and data[at] == DASH
    number, fits, to = long_decimal(data, at + negative, end)
    if to >= 0:
        put(values, valid, i, f, fields, number, negative, fits)
    return to


@step
def put_span(values, valid, i, f, at, end):  # type: ignore[no-untyped-def]
    """Store a string's place."""
    values[i, f] = np.uint64(at) << np.uint64(32) | np.uint64(end)
    valid[i, f] = True


@step
def _read_listed(data, at, end, values, valid, i, f, fields):  # type: ignore[no-untyped-def]
    """The value behind the = at `at` - 1; False where it has not the form of the field's."""
    form = fields[f, 0]
    if form == _TEXT:
        put_span(values, valid, i, f, at, end)
        return True
    at = skip_blanks(data, at, end)
    if form in (_HEXADECIMAL, _POINTER):
        at += at < end and data[at] == OPEN
        number, fits, to = hexadecimal(data, skip_0x(data, at, end), end)
        if to >= 0:
            put(values, valid, i, f, fields, number, _POSITIVE, fits)
        return to >= 0
    bare = skip_0x(data, at, end)
    if bare > at:
        number, fits, to = hexadecimal(data, bare, end)
        if to >= 0 and to < end and data[to] == 32:
            at = to + 1
    at += at < end and data[at] == OPEN
    at = skip_blanks(data, at, end)
    to = put_decimal(data, at, end, values, valid, i, f, fields)
    if to >= 0 and fields[f, 1] == 1:
        number, behind = decimal(data, at, end, MOST_DIGITS)
        values[i, f], valid[i, f] = number != 0 or behind < 0, True
    ends = to == end or (to > 0 and (data[to] == 32 or data[to] == CLOSE or data[to] == _COMMA))
    valid[i, f] = valid[i, f] and ends
    return ends


@step
def _read_by_name(data, start, end, texts, values, valid, i, f, fields):  # type: ignore[no-untyped-def]
    """The first name=value with the field's name."""
    first, last = fields[f, 4], fields[f, 5]
    size = last - first
    at = start
    while at + size < end:
        if data[at + size] == EQUALS and (
            at == start or data[at - 1] == 32 or data[at - 1] == BRACKET_CLOSE
        ):
            k = 0
            while k < size and data[at + k] == texts[first + k]:
                k += 1
            if k == size and _read_listed(data, at + size + 1, end, values, valid, i, f, fields):
                return
        at += 1


@njit(cache=True, nogil=True)
def read_lists(data, starts, ends, fields, texts, values, valid):  # type: ignore[no-untyped-def]
    """values[i, f] and valid[i, f] (zeros) are field f of the list of name=value
    data[starts[i]:ends[i]], in any order; as `read_texts` stores them.
    """
    for i in range(len(starts)):
        for f in range(len(fields)):
            _read_by_name(data, starts[i], ends[i], texts, values, valid, i, f, fields)
