"""The lines of one chunk of a text log: events, marks of lost events, and what surrounds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.chunks import Bytes, as_utf8, find_lines
from spetrace.ingest.event_text.line_kernel import parse_trace_lines
from spetrace.ingest.event_text.perf_line_kernel import parse_perf_lines
from spetrace.ingest.event_text.strings import string_series

PERF_SCRIPT = "perf script"

LOST_LINE = (
    r"^(?:\s*[^\s:]+: )?\s*CPU:[0-9]+ \[(?:LOST (?P<lost>[0-9]{1,15}) EVENTS"
    r"|(?P<dropped>[0-9]{1,15}) EVENTS DROPPED|LOST EVENTS|EVENTS DROPPED)\]"
)
_SHORTEST_EVENT = len("-1 [0] 1: a:")
_BUFFER_STARTED = r"^##### CPU [0-9]+ buffer started ####"
_OTHER_LINE = r"^(?:\s*$|#|cpus=|version = |CPU [0-9]+ is empty)"


@dataclass
class Lines:
    """What one chunk holds.

    `events` has a row of line_layout's columns per event, in their order, and `data` the bytes that
    its places are in. `lost` are events that the text reports lost, `side_band` perf's own records.
    """

    data: Bytes
    events: npt.NDArray[np.int64]
    lost: int
    lost_unknown: int
    buffers_started: int
    side_band: int
    unparsed: int


def parse_lines(chunk: bytes, tool: str | None) -> Lines:
    """The lines of `chunk` as `tool` prints them (perf script, or else ftrace and trace-cmd)."""
    data = np.frombuffer(as_utf8(chunk), np.uint8)
    starts, ends = find_lines(data)
    sizes = ends - starts
    is_short = (sizes > 0) & (sizes < _SHORTEST_EVENT)
    short = string_series(data, starts[is_short], ends[is_short])
    is_long = sizes >= _SHORTEST_EVENT
    starts, ends = starts[is_long], ends[is_long]
    rows = np.zeros((len(starts), layout.COLUMNS), np.int64)
    parse = parse_perf_lines if tool == PERF_SCRIPT else parse_trace_lines
    torn = parse(data, starts, ends, rows)
    kind = rows[:, layout.KIND]
    is_event = (kind == layout.HARDWARE_EVENT) | (kind == layout.TRACEPOINT)
    side_band = kind == layout.SIDE_BAND
    rest = kind == layout.NO_EVENT
    lines = _other_lines(short.append(string_series(data, starts[rest], ends[rest])))
    return Lines(
        data,
        rows if is_event.all() else rows[is_event],
        lost=lines.lost + int(rows[side_band, layout.TIME].sum()),
        lost_unknown=lines.lost_unknown,
        buffers_started=lines.buffers_started,
        side_band=int(side_band.sum()),
        unparsed=lines.unparsed + torn,
    )


@dataclass
class _OtherLines:
    lost: int
    lost_unknown: int
    buffers_started: int
    unparsed: int


def _other_lines(lines: pl.Series) -> _OtherLines:
    """What the lines that are no events tell."""
    is_lost = lines.str.contains(LOST_LINE)
    marks = lines.filter(is_lost).str.extract_groups(LOST_LINE).struct.unnest()
    counts = marks.select(pl.coalesce("lost", "dropped").cast(pl.Int64)).to_series()
    return _OtherLines(
        lost=sum(counts.drop_nulls().to_list()),
        lost_unknown=counts.null_count(),
        buffers_started=int(lines.str.contains(_BUFFER_STARTED).sum()),
        unparsed=int((~is_lost & ~lines.str.contains(_OTHER_LINE)).sum()),
    )
