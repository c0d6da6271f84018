"""What stands before a text log's events, and which tool wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spetrace.ingest.event_text.lines import EVENT_LINE, LOST_LINE, split_lines

_PERF_LINE = (
    r"^\s*(?:VM:.*)?[^\s].{0,20}?\s+(?:-?[0-9]+/)?-?[0-9]+\s+(?:\[[0-9]+\]\s+)?(?:[A-Za-z]+\s+)?"
    r"[0-9]+\.[0-9]{6}(?:[0-9]{3})?:\s+(?:[0-9]+\s+)?[\w.-]+(?::[\w./-]+)*:(?:\s|$)"
)
_FTRACE = re.compile(r"# tracer: (\w+)")
_CPUS = re.compile(r"^cpus=([0-9]{1,9})\s*$", re.MULTILINE)
_ENTRIES = re.compile(
    r"^# entries-in-buffer/entries-written: ([0-9]{1,18})/([0-9]{1,18})\s+#P:([0-9]{1,9})",
    re.MULTILINE,
)
_LATENCY = re.compile(r"^# \S+ latency trace v", re.MULTILINE)
_HEADER_LINES = 20
"""trace-cmd writes its version and warnings before `cpus=N`."""


@dataclass(frozen=True)
class Header:
    """`tool` is "ftrace", "trace-cmd report" or "perf script", None where the text is no trace."""

    tool: str | None
    tracer: str | None = None
    cpus: int | None = None
    overwritten: int | None = None
    """Events written to the buffer and no longer in it; None where no header tells."""
    latency_format: bool = False


def parse_header(text: str) -> Header:
    """The header of a text log that begins with `text`."""
    text = text.lstrip("\ufeff \t\r\n")
    tracer = _FTRACE.match(text)
    if tracer:
        entries = _ENTRIES.search(text)
        return Header(
            "ftrace",
            tracer=tracer[1],
            cpus=int(entries[3]) if entries else None,
            overwritten=max(int(entries[2]) - int(entries[1]), 0) if entries else None,
            latency_format=bool(_LATENCY.search(text)),
        )
    tool = _tool_of_lines(text)
    cpus = _CPUS.search("\n".join(text.splitlines()[:_HEADER_LINES]))
    if cpus and (tool or cpus.start() == 0):
        return Header("trace-cmd report", cpus=int(cpus[1]))
    return Header(tool)


def _tool_of_lines(text: str) -> str | None:
    """The tool by the lines alone: trace_pipe has no header, and an excerpt has none.

    trace-cmd pads the event's name to 20 columns, ftrace puts one blank.
    """
    lines = split_lines(text)
    events = lines.filter(lines.str.contains(EVENT_LINE))
    if len(events):
        padded = events.str.contains(r": \w{1,18}:  ").all()
        return "trace-cmd report" if padded else "ftrace"
    if lines.str.contains(LOST_LINE).any():
        return "ftrace"
    return "perf script" if lines.str.contains(_PERF_LINE).any() else None
