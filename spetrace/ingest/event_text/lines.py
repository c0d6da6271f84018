"""The lines of a text log: events, marks of lost events, and what surrounds them.

ftrace (Linux 6.12 kernel/trace/trace_output.c) and trace-cmd report (trace-read.c 3.x) print the
same line, but for flags, the width of the time and a prefix for instances:
`[INSTANCE: ]COMM-PID [(TGID)] [CPU] [FLAGS] TIME: EVENT: TEXT`. A comm may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from spetrace.ingest.event_text.torn import mend

_TIME = r"(?P<seconds>[0-9]{1,19})(?:\.(?P<fraction>[0-9]{6}(?:[0-9]{3})?))?"
_FLAGS = r"(?:[^ 0-9][^ ]{3,6}|-0x[0-9a-f]+)"
EVENT_LINE = (
    r"^(?:\s*(?P<instance>[^\s:]+): )?\s*(?P<comm>.{0,16}?)-(?P<pid>-?[0-9]{1,10})\s+"
    r"(?:\(\s*(?P<tgid>[0-9]{1,10}|-+)\)\s+)?"
    rf"(?:\[(?P<cpu>[0-9]{{1,9}})\] *(?:{_FLAGS} +)?|(?P<cpu_latency>[0-9]{{1,9}}){_FLAGS} +)"
    rf"{_TIME}(?: \([^)]*\))?:\s+(?P<event>\w+): *(?P<text>.*)$"
)
"""trace-cmd's -l leaves the brackets around the CPU out and then always has flags."""

LOST_LINE = (
    r"^(?:\s*[^\s:]+: )?\s*CPU:[0-9]+ \[(?:LOST (?P<lost>[0-9]{1,15}) EVENTS"
    r"|(?P<dropped>[0-9]{1,15}) EVENTS DROPPED|LOST EVENTS|EVENTS DROPPED)\]"
)
BUFFER_STARTED = r"^##### CPU [0-9]+ buffer started ####"
_OTHER_LINE = r"^(?:\s*$|#|cpus=|version = |CPU [0-9]+ is empty)"

_CHUNK_BYTES = 8 << 20
_SECOND_NS = 1_000_000_000
_LAST_SECOND = (1 << 63) // _SECOND_NS - 1


@dataclass
class Lines:
    """What one chunk of lines holds.

    `events` are event lines in their order: `index`, `time_ns` (the plain integer where the time
    has no fraction), `cpu`, `pid`, `comm` (null where the kernel knew none), `tgid`,
    `instance`, `event`, `text`, and `digits`, the length of the time's fraction (null: none).
    """

    events: pl.DataFrame
    lost: int
    lost_unknown: int
    buffers_started: int
    unparsed: int


def iter_lines(data: memoryview) -> Iterator[str]:
    """The text in chunks of whole lines (a line longer than a chunk is cut), bad UTF-8 replaced."""
    start = 0
    while start < len(data):
        chunk = bytes(data[start : start + _CHUNK_BYTES])
        if start + len(chunk) < len(data):
            chunk = chunk[: chunk.rfind(b"\n") + 1] or chunk
        start += len(chunk)
        yield chunk.decode("utf-8", "replace")


def split_lines(text: str) -> pl.Series:
    """The lines of `text` without their ends (LF or CR LF)."""
    lines = pl.Series("line", [text]).str.split("\n").explode()
    return lines.str.strip_suffix("\r")


def parse_lines(text: str, index: int) -> Lines:
    """The lines of `text`; its first event has the index `index`."""
    lines = split_lines(text)
    lines, torn = mend(lines, lines.str.contains(EVENT_LINE))
    is_event = lines.str.contains(EVENT_LINE)
    events = _events(lines.filter(is_event))
    whole = events.drop_nulls(["time_ns", "cpu", "pid"])
    rest = lines.filter(~is_event).to_frame()
    is_lost, is_other = (
        pl.col("line").str.contains(LOST_LINE),
        pl.col("line").str.contains(_OTHER_LINE),
    )
    marks = rest.filter(is_lost)["line"].str.extract_groups(LOST_LINE).struct.unnest()
    counts = marks.select(pl.coalesce("lost", "dropped").cast(pl.Int64)).to_series()
    return Lines(
        events=whole.with_row_index("index", index).with_columns(pl.col("index").cast(pl.UInt64)),
        lost=sum(counts.drop_nulls().to_list()),
        lost_unknown=counts.null_count(),
        buffers_started=int(lines.str.contains(BUFFER_STARTED).sum()),
        unparsed=len(rest.filter(~is_lost & ~is_other)) + len(events) - len(whole) + torn,
    )


def _events(lines: pl.Series) -> pl.DataFrame:
    parts = lines.str.extract_groups(EVENT_LINE).struct.unnest()
    return parts.select(
        _time().alias("time_ns"),
        pl.coalesce("cpu", "cpu_latency").cast(pl.Int32, strict=False).alias("cpu"),
        pl.col("pid").cast(pl.Int32, strict=False),
        pl.when(pl.col("comm") != "<...>").then(pl.col("comm")).alias("comm"),
        pl.col("tgid").cast(pl.Int32, strict=False),
        "instance",
        *_marker(),
        pl.col("fraction").str.len_bytes().alias("digits"),
    )


def _time() -> pl.Expr:
    """sec.usec and sec.nsec to ns, in integers; a plain integer as it is."""
    whole = pl.col("seconds").cast(pl.Int64, strict=False)
    fraction = pl.col("fraction").str.pad_end(9, "0").cast(pl.Int64)
    fits = pl.when(whole <= _LAST_SECOND).then(whole)
    return pl.when(fraction.is_null()).then(whole).otherwise(fits * _SECOND_NS + fraction)


def _marker() -> tuple[pl.Expr, pl.Expr]:
    """Event and text; ftrace prints the event print under its function's name."""
    is_marker = pl.col("event") == "tracing_mark_write"
    text = pl.format("tracing_mark_write: {}", "text")
    return (
        pl.when(is_marker).then(pl.lit("print")).otherwise("event").alias("event"),
        pl.when(is_marker).then(text).otherwise("text").alias("text"),
    )
