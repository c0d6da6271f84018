"""The columns of the array that the line kernels fill, one row per line."""

from __future__ import annotations

KIND, TIME, TIME_FORM, CPU, PID, TGID = range(6)
INSTANCE, INSTANCE_END, COMM, COMM_END, EVENT, EVENT_END, TEXT, TEXT_END = range(6, 14)
COLUMNS = 14
"""From INSTANCE on: places in the chunk; an empty range where the line has no such part."""

ABSENT = -(1 << 62)
"""In CPU, PID and TGID: the line doesn't tell."""

NO_EVENT, HARDWARE_EVENT, TRACEPOINT, SIDE_BAND, STACK = range(5)
"""Kinds of lines. HARDWARE_EVENT: a perf event that is no tracepoint. SIDE_BAND: PERF_RECORD_...
with the number of events that it reports lost in TIME. STACK: an entry of a call chain."""

PLAIN, MICROSECONDS, NANOSECONDS, SINCE_START = range(4)
"""Forms of times: an integer of an unknown unit, sec.usec, sec.nsec, usec from the buffer's start."""
