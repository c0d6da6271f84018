"""Kernels for the time of a line, in each of its printed forms."""

from __future__ import annotations

import numpy as np

from spetrace.ingest.event_text.ascii_kernels import (
    BRACKET,
    BRACKET_CLOSE,
    CLOSE,
    COLON,
    DOT,
    MOST_DIGITS,
    OPEN,
    decimal,
    hexadecimal,
    is_blank,
    skip_blanks,
)
from spetrace.ingest.event_text.line_layout import (
    MICROSECONDS,
    NANOSECONDS,
    PLAIN,
    SINCE_START,
    TIME,
    TIME_FORM,
)
from spetrace.ingest.kernel_step import step

_FRACTION_DIGITS = np.int64(9)
_LONGEST_DELTA = 40
_U, _M, _S = (ord(c) for c in "ums")
_LAST_INT64 = np.uint64((1 << 63) - 1)
_SECOND, _MICROSECOND = np.uint64(1_000_000_000), np.uint64(1000)
_LAST_SECOND = np.uint64((1 << 63) // 1_000_000_000 - 1)
_LAST_MICROSECOND = np.uint64((1 << 63) // 1000 - 1)


@step
def match_seconds(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """sec.usec or sec.nsec as ns, or an integer as it is; the place behind it."""
    whole, to = decimal(data, at, end, MOST_DIGITS)
    if to < 0 or whole > _LAST_INT64:
        return -1
    out[i, TIME], out[i, TIME_FORM] = np.int64(whole), PLAIN
    if to >= end or data[to] != DOT:
        return to
    fraction, behind = decimal(data, to + 1, end, _FRACTION_DIGITS)
    digits = behind - to - 1
    if (digits != 6 and digits != 9) or whole > _LAST_SECOND:
        return -1
    nanoseconds = fraction * _MICROSECOND if digits == 6 else fraction
    out[i, TIME] = np.int64(whole * _SECOND + nanoseconds)
    out[i, TIME_FORM] = MICROSECONDS if digits == 6 else NANOSECONDS
    return behind


@step
def _match_microseconds(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`us` and a mark for what the event took, behind the time of a latency-format."""
    microseconds = np.uint64(out[i, TIME])
    if data[at + 1] != _S or microseconds > _LAST_MICROSECOND:
        return -1
    out[i, TIME] = np.int64(microseconds * _MICROSECOND)
    out[i, TIME_FORM] = SINCE_START
    return at + 2 if data[at + 2] == COLON else at + 3


@step
def match_time(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`TIME:` or `TIME (+DELTA):` (trace-cmd --ts-diff); the place behind the colon."""
    to = match_seconds(data, at, end, out, i)
    if to < 0 or to + 3 >= end:
        return -1
    if out[i, TIME_FORM] == PLAIN and data[to] == _U:
        to = _match_microseconds(data, to, end, out, i)
    elif data[to] == 32 and data[to + 1] == OPEN:
        last = min(to + _LONGEST_DELTA, end - 1)
        while to < last and data[to] != CLOSE:
            to += 1
        to += 1
    return to + 1 if 0 <= to < end and data[to] == COLON else -1


@step
def match_verbose_time(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`[TIME] SINCE (+DELTA):` of verbose: hex microseconds, or hex units of a clock that is not ns."""
    if at >= end or data[at] != BRACKET:
        return -1
    time, fits, to = hexadecimal(data, at + 1, end)
    if to < 0 or not fits or to + 2 >= end or data[to] != BRACKET_CLOSE:
        return -1
    to = since = skip_blanks(data, to + 1, end)
    while to < end and not is_blank(data[to]):
        to += 1
    in_ns = to - since > 2 and data[to - 1] == _S and data[to - 2] == _M
    if time > (_LAST_MICROSECOND if in_ns else _LAST_INT64):
        return -1
    out[i, TIME] = np.int64(time * _MICROSECOND) if in_ns else np.int64(time)
    out[i, TIME_FORM] = MICROSECONDS if in_ns else PLAIN
    while to < end and data[to] != COLON:
        to += 1
    return to + 1 if to < end else -1
