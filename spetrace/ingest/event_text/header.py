"""What stands before a text log's events, and which tool wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.lines import LOST_LINE, PERF_SCRIPT, parse_lines

_FTRACE = re.compile(r"# tracer: (\w+)")
_CPUS = re.compile(r"^cpus=([0-9]{1,9})\s*$", re.MULTILINE)
_ENTRIES = re.compile(
    r"^# (?:entries-in-buffer/entries-written: |latency: .*#)([0-9]{1,18})/([0-9]{1,18})[ ,].*"
    r"#P:([0-9]{1,9})",
    re.MULTILINE,
)
_PERF_HEADER = re.compile(r"^# captured on +: ", re.MULTILINE)
_LOST = re.compile(LOST_LINE, re.MULTILINE)
_HEADER_LINES = 20
"""trace-cmd writes its version and warnings before `cpus=N`."""
_SHORT_NAME = 18


@dataclass(frozen=True)
class Header:
    """`tool` is "ftrace", "trace-cmd report" or "perf script", None where the text is no trace."""

    tool: str | None
    tracer: str | None = None
    cpus: int | None = None
    overwritten: int | None = None
    """Events written to the buffer and no longer in it; None where no header tells."""


def parse_header(head: bytes) -> Header:
    """The header of a text log that begins with `head`."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    tracer = _FTRACE.match(text)
    if tracer:
        entries = _ENTRIES.search(text)
        return Header(
            "ftrace",
            tracer=tracer[1],
            cpus=int(entries[3]) if entries else None,
            overwritten=max(int(entries[2]) - int(entries[1]), 0) if entries else None,
        )
    tool = _tool_of_lines(head, text)
    cpus = _CPUS.search("\n".join(text.splitlines()[:_HEADER_LINES]))
    if cpus and (tool or cpus.start() == 0):
        return Header("trace-cmd report", cpus=int(cpus[1]))
    return Header(tool)


def _tool_of_lines(head: bytes, text: str) -> str | None:
    """The tool by the lines alone: trace_pipe has no header, and an excerpt has none.

    trace-cmd pads the event's name to 20 columns, ftrace puts one blank.
    """
    events = parse_lines(head, None).events
    if len(events):
        names = events[:, layout.EVENT_END] - events[:, layout.EVENT]
        blanks = events[:, layout.TEXT] - events[:, layout.EVENT_END] - 1
        short = names <= _SHORT_NAME
        return "trace-cmd report" if short.all() and (blanks > 1).all() else "ftrace"
    if _LOST.search(text):
        return "ftrace"
    perf = parse_lines(head, PERF_SCRIPT)
    is_perf = len(perf.events) or perf.side_band or _PERF_HEADER.search(text)
    return PERF_SCRIPT if is_perf else None
