"""Kernel that takes the lines of perf script apart (tools/perf/builtin-script.c, Linux 6.12).

`[VM:PID ][VCPU:N ][COMM ][PID/][TID ][[CPU] ][MISC ][DATE ]TIME: [PERIOD ]EVENT: TEXT`, whatever fields -F
left. A name may hold anything; it is padded to 16 columns, except in texts with call chains.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spetrace.ingest.event_text.ascii_kernels import (
    BRACKET,
    BRACKET_CLOSE,
    COLON,
    CPU_DIGITS,
    DASH,
    MOST_DIGITS,
    PID_DIGITS,
    ZERO,
    begins_character,
    decimal,
    is_blank,
    is_digit,
    literal,
    skip_blanks,
)
from spetrace.ingest.event_text.line_layout import (
    ABSENT,
    COMM,
    COMM_END,
    CPU,
    EVENT,
    EVENT_END,
    HARDWARE_EVENT,
    INSTANCE,
    INSTANCE_END,
    KIND,
    NO_EVENT,
    PID,
    SIDE_BAND,
    STACK,
    TEXT,
    TEXT_END,
    TGID,
    TIME,
    TRACEPOINT,
)
from spetrace.ingest.event_text.time_kernel import match_seconds
from spetrace.ingest.kernel_step import step

_NAME_COLUMNS, _SHORT_NAME_COLUMNS = 16, 8
"""The short ones: perf script -L."""
_LONGEST_NAME = 24
"""[guest/PID] is longer than what the kernel keeps of a name."""
_TAB, _SLASH = ord("\t"), ord("/")
_COUNT_DIGITS = np.int64(15)
_LAST_INT32 = np.uint64((1 << 31) - 1)
_MISC = np.frombuffer(b"KUHGgMESp", np.uint8)
_MODIFIERS = np.frombuffer(b"ukhIGHpPSDWebR", np.uint8)
_MODIFIERS_MOST = 6
_DATE = np.frombuffer(b"0000-00-00 00:00:00.", np.uint8)
"""Field tod, each digit as 0; its fraction has six digits, with --ns nine."""
_FRACTION_DIGITS = np.int64(9)
_WORDS = np.frombuffer(b"VM:VCPU:PERF_RECORD_LOSTlost ", np.uint8)
_VM, _VCPU, _RECORD, _LOST, _COUNT = (0, 3), (3, 8), (8, 20), (20, 24), (24, 29)


@step
def _all_of(data, at, end, letters):  # type: ignore[no-untyped-def]
    """Whether there is at least one byte, and all are among the letters."""
    for place in range(at, end):
        found = False
        for letter in letters:
            found = found or data[place] == letter
        if not found:
            return False
    return end > at


@step
def _match_number(data, at, end):  # type: ignore[no-untyped-def]
    """A thread or process: its number (ABSENT: -1), and the place behind it."""
    if at + 1 < end and data[at] == DASH:
        number, to = decimal(data, at + 1, end, PID_DIGITS)
        return ABSENT, to
    number, to = decimal(data, at, end, PID_DIGITS)
    if number > _LAST_INT32:
        return ABSENT, -1
    return np.int64(number), to


@step
def _match_side_band(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`PERF_RECORD_...` at `at`; TIME becomes the number of events that it reports lost."""
    to = literal(data, at, end, _WORDS, _RECORD[0], _RECORD[1])
    if to < 0:
        return False
    out[i, KIND], out[i, TIME] = SIDE_BAND, 0
    if literal(data, to, end, _WORDS, _LOST[0], _LOST[1]) < 0:
        return True
    while to < end:
        number = literal(data, to, end, _WORDS, _COUNT[0], _COUNT[1])
        if number > 0:
            lost, to = decimal(data, number, end, _COUNT_DIGITS)
            out[i, TIME] = np.int64(lost) if to > 0 else 0
            return True
        to += 1
    return True


@step
def _match_event(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """` [PERIOD] [SYSTEM:]EVENT[:MODIFIERS]: TEXT` to the end of the line."""
    name = skip_blanks(data, at, end)
    if name == at:
        return False
    if _match_side_band(data, name, end, out, i):
        return True
    _, to = decimal(data, name, end, MOST_DIGITS)
    if 0 < to < end and is_blank(data[to]):
        name = skip_blanks(data, to, end)
    system, to = -1, name
    while to < end and not is_blank(data[to]):
        if data[to] == COLON and system < 0:
            system = to
        to += 1
    if to - name < 2 or data[to - 1] != COLON:
        return False
    out[i, TEXT], out[i, TEXT_END] = skip_blanks(data, to, end), end
    first, last = system + 1, system + 1
    while last < to and data[last] != COLON:
        last += 1
    no_name = last == first or system == name
    if no_name or (last - first <= _MODIFIERS_MOST and _all_of(data, first, last, _MODIFIERS)):
        out[i, KIND], first, last = HARDWARE_EVENT, name, to - 1
    else:
        out[i, KIND] = TRACEPOINT
    out[i, EVENT], out[i, EVENT_END] = first, last
    return True


@step
def _skip_date(data, at, end):  # type: ignore[no-untyped-def]
    """Past `YYYY-MM-DD hh:mm:ss.usec `: the same moment as the time behind it, on the clock of the day."""
    to = at
    for letter in _DATE:
        if to >= end or (data[to] != letter and not (letter == ZERO and is_digit(data[to]))):
            return at
        to += 1
    _, to = decimal(data, to, end, _FRACTION_DIGITS)
    return skip_blanks(data, to, end) if 0 < to < end and is_blank(data[to]) else at


@step
def _match_time(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`[MISC ][DATE ]sec.usec: EVENT: TEXT` from `at` on."""
    to = at
    while to < end and not is_blank(data[to]):
        to += 1
    if to < end and to - at <= _MODIFIERS_MOST and _all_of(data, at, to, _MISC):
        at = skip_blanks(data, to, end)
    at = _skip_date(data, at, end)
    to = match_seconds(data, at, end, out, i)
    if to < at + 7 or to >= end or data[to] != COLON:
        return False
    return _match_event(data, to + 1, end, out, i)


@step
def _match_cpu(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`[[CPU] ]TIME: ...` from `at` on; -L prints the CPU without brackets."""
    out[i, CPU] = ABSENT
    bracket = at < end and data[at] == BRACKET
    cpu, to = decimal(data, at + bracket, end, CPU_DIGITS)
    if bracket:
        if to < 0 or to >= end or data[to] != BRACKET_CLOSE:
            return False
        to += 1
    if 0 < to < end and is_blank(data[to]):
        out[i, CPU] = np.int64(cpu)
        return _match_time(data, skip_blanks(data, to, end), end, out, i)
    return _match_time(data, at, end, out, i)


@step
def _match_thread(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`[PID/]TID [CPU] TIME: ...` from the blanks at `at` on."""
    at = skip_blanks(data, at, end)
    out[i, TGID] = ABSENT
    out[i, PID], to = _match_number(data, at, end)
    if 0 < to < end and data[to] == _SLASH:
        out[i, TGID] = out[i, PID]
        out[i, PID], to = _match_number(data, to + 1, end)
    if to < 0 or to >= end or not is_blank(data[to]):
        return False
    return _match_cpu(data, skip_blanks(data, to, end), end, out, i)


@step
def _match_no_thread(data, at, end, out, i):  # type: ignore[no-untyped-def]
    """`[CPU] TIME: ...` from the blanks at `at` on."""
    out[i, PID], out[i, TGID] = ABSENT, ABSENT
    return _match_cpu(data, skip_blanks(data, at, end), end, out, i)


@step
def _match_name(data, start, end, out, i, with_thread):  # type: ignore[no-untyped-def]
    """`COMM ` up to the first place where the rest follows."""
    at = to = skip_blanks(data, start, end)
    characters = 0
    while to < end and characters <= _LONGEST_NAME:
        if data[to] == 32 and (
            _match_thread(data, to, end, out, i)
            if with_thread
            else _match_no_thread(data, to, end, out, i)
        ):
            out[i, COMM], out[i, COMM_END] = at, to
            return True
        characters += begins_character(data[to])
        to += 1
    return False


@step
def _skip_machine(data, start, end, out, i):  # type: ignore[no-untyped-def]
    """Past `VM:PID ` and `VCPU:N ` of a sample from a guest's own recording; its PID: INSTANCE."""
    at = literal(data, start, end, _WORDS, _VM[0], _VM[1])
    if at > 0:
        at = skip_blanks(data, at, end)
        _, to = decimal(data, at, end, PID_DIGITS)
        if to < 0 or to >= end or data[to] != 32:
            return start
        out[i, INSTANCE], out[i, INSTANCE_END] = at, to
        start = to + 1
    at = literal(data, start, end, _WORDS, _VCPU[0], _VCPU[1])
    if at > 0:
        _, to = decimal(data, at, end, PID_DIGITS)
        if 0 < to < end and data[to] == 32:
            return to + 1
    return start


@step
def _match_columns(data, start, columns, end, out, i, with_cpu):  # type: ignore[no-untyped-def]
    """`COMM ` in so many columns, [PID/]TID behind it and, if asked for, a CPU."""
    to = start + columns
    if to >= end or data[to] != 32 or not _match_thread(data, to, end, out, i):
        return False
    at = skip_blanks(data, start, to)
    if with_cpu and (out[i, CPU] == ABSENT or (at == to and columns != _NAME_COLUMNS)):
        return False
    out[i, COMM], out[i, COMM_END] = at, to
    return True


@step
def _match_line(data, start, end, out, i):  # type: ignore[no-untyped-def]
    """A line, by the form that tells most."""
    return (
        _match_columns(data, start, _NAME_COLUMNS, end, out, i, True)
        or _match_columns(data, start, _SHORT_NAME_COLUMNS, end, out, i, True)
        or _match_columns(data, start, _NAME_COLUMNS, end, out, i, False)
        or _match_thread(data, start, end, out, i)
        or _match_no_thread(data, start, end, out, i)
        or _match_name(data, start, end, out, i, True)
        or _match_name(data, start, end, out, i, False)
    )


@njit(cache=True, nogil=True)
def parse_perf_lines(data, starts, ends, out):  # type: ignore[no-untyped-def]
    """Fill a row of `out` (zeros) for each line; returns 0: perf tears no lines."""
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        if start < end and data[start] == _TAB:
            out[i, KIND] = STACK
        elif not _match_line(data, _skip_machine(data, start, end, out, i), end, out, i):
            out[i, KIND] = NO_EVENT
    return 0
