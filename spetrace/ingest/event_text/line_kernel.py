"""Kernel that takes the lines of ftrace and trace-cmd report apart.

The fixed middle of a line, `-PID [(TGID)] [CPU] [FLAGS] TIME: EVENT: `, is what is searched for: the
name before it may hold anything. Where the middle stands right behind the 16 columns that names are
padded to, that place counts before any other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.event_text.ascii_kernels import (
    BRACKET,
    BRACKET_CLOSE,
    CLOSE,
    COLON,
    CPU_DIGITS,
    DASH,
    LOWER_X,
    OPEN,
    PID_DIGITS,
    ZERO,
    begins_character,
    decimal,
    hexadecimal,
    is_blank,
    is_digit,
    literal,
    skip_blanks,
    skip_word,
)
from spetrace.ingest.event_text.line_layout import (
    ABSENT,
    COMM,
    COMM_END,
    CPU,
    EVENT,
    EVENT_END,
    INSTANCE,
    INSTANCE_END,
    KIND,
    PID,
    TEXT,
    TEXT_END,
    TGID,
    TRACEPOINT,
)
from spetrace.ingest.event_text.time_kernel import match_time, match_verbose_time
from spetrace.ingest.kernel_step import step

NAME_COLUMNS = 16
_MIDDLE_BYTES = 40
"""At most between a dash and the bracket of the CPU."""
_DEPTH_DIGITS = np.int64(3)
_LAST_INT32 = np.uint64((1 << 31) - 1)
_MARKERS = np.frombuffer(b"tracing_mark_writeprint", np.uint8)
_MARKER_BYTES, _PRINT_BYTES = 18, 5


@step
def match_tgid(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`(TGID) ` or `(-------) ` at `at`; where there is none, `at`."""
    out[i, TGID] = ABSENT
    if at >= end or data[at] != OPEN:
        return at
    at = skip_blanks(data, at + 1, end)
    tgid, to = decimal(data, at, end, PID_DIGITS)
    if to > 0 and tgid <= _LAST_INT32:
        out[i, TGID] = np.int64(tgid)
    if to < 0:
        to = at
        while to < end and data[to] == DASH:
            to += 1
    if to == at or to + 1 >= end or data[to] != CLOSE or not is_blank(data[to + 1]):
        return -1
    return skip_blanks(data, to + 1, end)


@step
def skip_flags(data, at, end):  # type: ignore[no-untyped-def]
    """Past four to seven flags or -0x and digits and the blanks behind; none: below 0."""
    to = at
    while to < end and not is_blank(data[to]):
        to += 1
    if to >= end or is_digit(data[at]):
        return -1
    is_hex = to - at > 3 and data[at] == DASH and data[at + 1] == ZERO and data[at + 2] == LOWER_X
    return skip_blanks(data, to, end) if 4 <= to - at <= 7 or is_hex else -1


@step
def match_cpu(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`[CPU] FLAGS `, `[CPU]` or `CPUFLAGS ` (trace-cmd -l, latency-format)."""
    bracket = at < end and data[at] == BRACKET
    cpu, to = decimal(data, at + bracket, end, CPU_DIGITS)
    if to < 0 or (bracket and (to >= end or data[to] != BRACKET_CLOSE)):
        return -1
    out[i, CPU] = np.int64(cpu)
    if not bracket:
        return skip_flags(data, to, end)
    to = skip_blanks(data, to + 1, end)
    if to < end and not is_digit(data[to]):
        return skip_flags(data, to, end)
    return to


@step
def match_event(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """` EVENT: TEXT` to the end of the line."""
    name = skip_blanks(data, at, end)
    to = skip_word(data, name, end)
    if name == at or to == name or to >= end or data[to] != COLON:
        return False
    out[i, KIND] = TRACEPOINT
    out[i, EVENT], out[i, EVENT_END] = name, to
    to += 1
    while to < end and data[to] == 32:
        to += 1
    out[i, TEXT], out[i, TEXT_END] = to, end
    return True


@step
def match_middle(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """The line from the dash before its PID on."""
    negative = at + 1 < end and data[at + 1] == DASH
    pid, to = decimal(data, at + 1 + negative, end, PID_DIGITS)
    if to < 0 or pid > _LAST_INT32 or to >= end or not is_blank(data[to]):
        return False
    out[i, PID] = -np.int64(pid) if negative else np.int64(pid)
    to = match_tgid(data, skip_blanks(data, to, end), end, out, i)
    if to >= 0:
        to = match_cpu(data, to, end, out, i)
    if to >= 0:
        to = match_time(data, to, end, out, i)
    return to >= 0 and match_event(data, to, end, out, i)


@step
def _match_in_columns(data, start, end, out, i):  # type: ignore[no-untyped-def]
    """A line whose name stands in the 16 columns from `start` on."""
    dash = start + NAME_COLUMNS
    if dash >= end or data[dash] != DASH or not match_middle(data, dash, end, out, i):
        return False
    out[i, COMM], out[i, COMM_END] = skip_blanks(data, start, dash), dash
    return True


@step
def _match_anywhere(data, start, end, out, i):  # type: ignore[no-untyped-def]
    """A line whose name ends where first a middle follows."""
    at = dash = skip_blanks(data, start, end)
    characters = 0
    while dash < end and characters <= NAME_COLUMNS:
        if data[dash] == DASH and match_middle(data, dash, end, out, i):
            out[i, COMM], out[i, COMM_END] = at, dash
            return True
        characters += begins_character(data[dash])
        dash += 1
    return False


@step
def _match_of_instance(data, start, end, out, i):  # type: ignore[no-untyped-def]
    """A line with the name of an instance or file before it."""
    at = skip_blanks(data, start, end)
    to = at
    while to < end and not is_blank(data[to]) and data[to] != COLON:
        to += 1
    if to == at or to + 1 >= end or data[to] != COLON or data[to + 1] != 32:
        return False
    found = _match_in_columns(data, to + 2, end, out, i)
    if not (found or _match_anywhere(data, to + 2, end, out, i)):
        return False
    out[i, INSTANCE], out[i, INSTANCE_END] = at, to
    return True


@step
def _match_verbose_middle(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """` PID CPU FLAGS PREEMPT INDEX TIME: EVENT: TEXT` of latency-format with verbose."""
    pid, to = decimal(data, skip_blanks(data, at, end), end, PID_DIGITS)
    if to < 0 or pid > _LAST_INT32:
        return False
    cpu, to = decimal(data, skip_blanks(data, to, end), end, CPU_DIGITS)
    if to < 0:
        return False
    out[i, PID], out[i, CPU], out[i, TGID] = np.int64(pid), np.int64(cpu), ABSENT
    _, to = decimal(data, skip_blanks(data, to, end), end, _DEPTH_DIGITS)
    for _ in range(2):
        if to < 0:
            return False
        _, _, to = hexadecimal(data, skip_blanks(data, to, end), end)
    if to < 0:
        return False
    to = match_verbose_time(data, skip_blanks(data, to, end), end, out, i)
    return to >= 0 and match_event(data, to, end, out, i)


@step
def _match_verbose(data, start, end, out, i):  # type: ignore[no-untyped-def]
    """A line of latency-format with verbose."""
    at = to = skip_blanks(data, start, end)
    characters = 0
    while to < end and characters <= NAME_COLUMNS:
        if data[to] == 32 and _match_verbose_middle(data, to, end, out, i):
            out[i, COMM], out[i, COMM_END] = at, to
            return True
        characters += begins_character(data[to])
        to += 1
    return False


@step
def _last_middle(data, first, end, out, i):  # type: ignore[no-untyped-def]
    """The dash of the last middle from `first` on; its row is filled."""
    for bracket in range(end - 1, first, -1):
        if data[bracket] == BRACKET:
            for dash in range(bracket - 2, max(first, bracket - _MIDDLE_BYTES) - 1, -1):
                if data[dash] == DASH and match_middle(data, dash, end, out, i):
                    return dash
    return -1


@step
def _is_marker(data, out, i):  # type: ignore[no-untyped-def]
    """Whether the event is a text that somebody wrote to the log; it may quote other lines."""
    size = out[i, EVENT_END] - out[i, EVENT]
    if size != _MARKER_BYTES and size != _PRINT_BYTES:
        return False
    first, last = (0, _MARKER_BYTES) if size == _MARKER_BYTES else (_MARKER_BYTES, len(_MARKERS))
    return literal(data, out[i, EVENT], out[i, EVENT_END], _MARKERS, first, last) >= 0


@step
def _mend(data, first, end, out, i, kept):  # type: ignore[no-untyped-def]
    """Take the whole line that follows a torn one directly (trace_pipe, its reader falling behind).

    Measured on Linux 6.12: about one line in fifty then. The name before a PID has 16 columns.
    """
    bracket = end - 1
    while bracket > first and data[bracket] != BRACKET:
        bracket -= 1
    if bracket <= first:
        return False
    for column in range(len(kept)):
        kept[column] = out[i, column]
    dash = _last_middle(data, first + NAME_COLUMNS + 1, end, out, i)
    if dash < 0:
        for column in range(len(kept)):
            out[i, column] = kept[column]
        return False
    at = skip_blanks(data, dash - NAME_COLUMNS, dash)
    while at < dash and not begins_character(data[at]):
        at += 1
    out[i, COMM], out[i, COMM_END] = at, dash
    out[i, INSTANCE], out[i, INSTANCE_END] = 0, 0
    return True


@njit(cache=True, nogil=True)
def parse_trace_lines(data, starts, ends, out):  # type: ignore[no-untyped-def]
    """Fill a row of `out` (zeros) for each line; returns how many torn starts were left out."""
    torn = 0
    kept = np.empty(out.shape[1], np.int64)
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        found = (
            _match_in_columns(data, start, end, out, i)
            or _match_of_instance(data, start, end, out, i)
            or _match_anywhere(data, start, end, out, i)
            or _match_verbose(data, start, end, out, i)
        )
        if not (found and _is_marker(data, out, i)):
            torn += _mend(data, out[i, EVENT_END] if found else start, end, out, i, kept)
    return torn
