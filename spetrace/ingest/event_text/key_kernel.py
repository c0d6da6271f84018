"""Kernel that finds the name=value pairs in the texts of events of no known format."""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.event_text.ascii_kernels import (
    CLOSE,
    DASH,
    EQUALS,
    MOST_HEX_DIGITS,
    OPEN,
    hexadecimal,
    is_blank,
    is_digit,
    long_decimal,
    skip_0x,
    skip_blanks,
    skip_word,
)
from spetrace.ingest.event_text.names import same_bytes
from spetrace.ingest.kernel_step import step

MOST_KEYS = 64
IS_DECIMAL, IS_HEXADECIMAL = 1, 2
_COMMA, _MORE = ord(","), ord(">")
_LAST_INT64 = np.uint64((1 << 63) - 1)


@step
def _separates(byte):  # type: ignore[no-untyped-def]
    return is_blank(byte) or byte == _COMMA or 40 <= byte <= 41 or byte == 91 or byte == 93


@step
def _next_key(data, at, start, end):  # type: ignore[no-untyped-def]
    """Where the next `name=` from `at` on begins, and its =; the end where there is none."""
    while at < end:
        if at == start or _separates(data[at - 1]):
            to = skip_word(data, at, end)
            if at < to < end and data[to] == EQUALS:
                return at, to
            at = to
        at += 1
    return end, end


@step
def _trim(data, at, end):  # type: ignore[no-untyped-def]
    """The end of data[at:end] without separators and an arrow (sched_switch) behind it."""
    while end > at and _separates(data[end - 1]):
        end -= 1
    if end - at > 2 and data[end - 1] == _MORE and data[end - 2] == EQUALS == data[end - 3]:
        end -= 3
        while end > at and _separates(data[end - 1]):
            end -= 1
    return end


@step
def _trim_ip(data, at, end):  # type: ignore[no-untyped-def]
    """The end of data[at:end] without the ip and sym that perf script prints behind a text."""
    place = at
    while place < end:
        if data[place] == 32:
            _, _, to = hexadecimal(data, place + 1, end)
            if to - place - 1 >= MOST_HEX_DIGITS // 2 and (to == end or data[to] == 32):
                return place
        place += 1
    return end


@step
def classify(data, at, end):  # type: ignore[no-untyped-def]
    """Which numbers data[at:end] can be (IS_... bits), as decimal and as hexadecimal."""
    kinds = 0
    negative = at < end and data[at] == DASH
    number, fits, to = long_decimal(data, at + negative, end)
    if to == end and fits and number <= _LAST_INT64:
        kinds |= IS_DECIMAL
    value = -np.int64(number) if negative else np.int64(number)
    bare = skip_0x(data, at, end)
    digits, fits, to = hexadecimal(data, bare, end)
    if to > 0 and fits:
        if bare > at and to + 2 < end and data[to] == 32 and data[to + 1] == OPEN:
            _, _, to = long_decimal(data, to + 2 + (data[to + 2] == DASH), end)
        is_zero = end - at == 1 and digits == 0
        if to == end and (bare > at or is_zero or (bare == at and end - at == MOST_HEX_DIGITS)):
            kinds |= IS_HEXADECIMAL
    return kinds, value, digits


@njit(cache=True, nogil=True)
def find_keys(data, starts, ends, firsts, lasts, found):  # type: ignore[no-untyped-def]
    """The different names of name=value pairs, as places in firsts and lasts (MOST_KEYS each), in
    order of appearance, and found[i] = whether text i has a pair; returns how many names.
    """
    count = 0
    for i in range(len(starts)):
        at, start, end = starts[i], starts[i], ends[i]
        guess = 0
        while True:
            at, to = _next_key(data, at, start, end)
            if at == end:
                break
            if not is_digit(data[at]):
                found[i] = True
                key = guess
                if key >= count or not same_bytes(data, at, to, firsts[key], lasts[key]):
                    key = 0
                    while key < count and not same_bytes(data, at, to, firsts[key], lasts[key]):
                        key += 1
                if key == count and count < MOST_KEYS:
                    firsts[count], lasts[count] = at, to
                    count += 1
                guess = key + 1
            at = to + 1
    return count


@njit(cache=True, nogil=True)
def read_keys(data, starts, ends, firsts, lasts, has_ip, value_starts, value_ends):  # type: ignore[no-untyped-def]
    """Places of the first value of each of the names firsts, lasts: value_starts[k, i] and
    value_ends[k, i] (filled with -1) of text i.
    """
    count = len(firsts)
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        at, to = _next_key(data, start, start, end)
        guess = 0
        while at < end:
            behind, behind_to = _next_key(data, to + 1, start, end)
            key = guess
            if key >= count or not same_bytes(data, at, to, firsts[key], lasts[key]):
                key = 0
                while key < count and not same_bytes(data, at, to, firsts[key], lasts[key]):
                    key += 1
            guess = key + 1
            if key < count and value_ends[key, i] < 0:
                first = min(skip_blanks(data, to + 1, behind), behind)
                last = _trim(data, first, behind)
                if has_ip and behind == end:
                    last = _trim(data, first, _trim_ip(data, first, last))
                value_starts[key, i], value_ends[key, i] = first, last
            at, to = behind, behind_to


@njit(cache=True, nogil=True)
def read_numbers(data, starts, ends, decimals, hexadecimals):  # type: ignore[no-untyped-def]
    """The values (those that have an end) as both kinds of numbers; returns which all can be."""
    kinds = IS_DECIMAL | IS_HEXADECIMAL
    for i in range(len(starts)):
        if ends[i] >= 0:
            kind, decimals[i], hexadecimals[i] = classify(data, starts[i], ends[i])
            kinds &= kind
            if not kinds:
                break
    return kinds


@njit(cache=True, nogil=True)
def read_places(data, starts, ends, addresses, known):  # type: ignore[no-untyped-def]
    """The probes' places, `(ADDRESS) ` before the pairs: known[i] = whether it is an address;
    returns whether any text has one, of whatever form.
    """
    has_place = False
    for i in range(len(starts)):
        at, end = starts[i], ends[i]
        if at >= end or data[at] != OPEN:
            continue
        to = at + 1
        while to < end and data[to] != CLOSE and data[to] != OPEN:
            to += 1
        if to + 1 >= end or data[to] != CLOSE or data[to + 1] != 32:
            continue
        has_place = True
        number, _, behind = hexadecimal(data, at + 1, to)
        if behind == to and to - at - 1 == MOST_HEX_DIGITS:
            addresses[i], known[i] = number, True
    return has_place
