"""Printed forms of a trace that can't be read, and what to print instead."""

from __future__ import annotations

import re

from spetrace.errors import InputError
from spetrace.ingest.event_text.contents import Contents
from spetrace.ingest.event_text.lines import PERF_SCRIPT

_OPTIONS = (
    ("nocontext-info", re.compile(r"[A-Za-z_]\w*: ")),
    ("raw", re.compile(r"-?[0-9]+ [0-9]+ [0-9]+ ")),
    ("hex", re.compile(r"[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{16} ")),
    ("bin", re.compile(r".*\0")),
)
_LINES_TRIED = 10


def check_readable(contents: Contents, head: bytes) -> None:
    """Raises InputError where the text, which begins with `head`, told nothing."""
    if contents.header.tool == PERF_SCRIPT:
        _check_perf_script(contents)
    elif not contents.count and contents.unparsed:
        raise _refuse_ftrace(head)


def _check_perf_script(contents: Contents) -> None:
    structure = "perf script text"
    if contents.count and not contents.tracepoints:
        cause = "holds no tracepoint: give the perf.data file that it was printed from"
        raise InputError(structure, cause)
    if contents.count and not contents.has_texts:
        cause = "was printed without its events' fields: print it again with perf script -F +trace"
        raise InputError(structure, cause)
    if not contents.count and contents.unparsed:
        raise InputError(structure, "no line is an event with its time, as perf script prints it")


def _refuse_ftrace(head: bytes) -> InputError:
    lines = head.decode("utf-8", "replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")][:_LINES_TRIED]
    for option, pattern in _OPTIONS:
        if any(pattern.match(line) for line in lines):
            return _printed_with(option)
    return InputError("trace text", "no line is an event as ftrace or trace-cmd report print it")


def _printed_with(option: str) -> InputError:
    off = option.removeprefix("no") if option.startswith("no") else f"no{option}"
    return InputError(
        "ftrace text",
        f"was printed with trace_option {option}, which leaves out what an event needs: "
        f"print it again after `echo {off} > trace_options`",
    )
