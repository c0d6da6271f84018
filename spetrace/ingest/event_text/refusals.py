"""Printed forms of a trace that can't be read, and what to print instead."""

from __future__ import annotations

from spetrace.errors import InputError
from spetrace.ingest.event_text.header import Header
from spetrace.ingest.event_text.lines import split_lines

_OPTIONS = (
    ("nocontext-info", r"^[A-Za-z_]\w*: "),
    ("raw", r"^-?[0-9]+ [0-9]+ [0-9]+ "),
    ("hex", r"^[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{16} "),
    ("bin", "\0"),
)


def check_readable(header: Header) -> None:
    """Raises InputError for forms that the header gives away."""
    if header.tool == "perf script":
        raise InputError(
            "perf script text", "is not read yet: give the perf.data file that it was printed from"
        )
    if header.latency_format:
        raise _printed_with(
            "latency-format", "cuts names to 8 characters and counts from its start"
        )


def refuse(head: str) -> InputError:
    """The error for a trace in whose text (it begins with `head`) no line is an event."""
    lines = split_lines(head)
    lines = lines.filter(~lines.str.contains(r"^(?:#|\s*$)"))
    for option, pattern in _OPTIONS:
        if lines.head(10).str.contains(pattern).any():
            return _printed_with(option, "leaves out what an event needs")
    return InputError("trace text", "no line is an event as ftrace or trace-cmd report print it")


def _printed_with(option: str, effect: str) -> InputError:
    off = option.removeprefix("no") if option.startswith("no") else f"no{option}"
    return InputError(
        "ftrace text",
        f"was printed with trace_option {option}, which {effect}: "
        f"print it again after `echo {off} > trace_options`",
    )
