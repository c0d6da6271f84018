"""One chunk of a text log, read: independent of all other chunks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.chunks import Bytes
from spetrace.ingest.event_text.key_values import Pairs, read_pairs
from spetrace.ingest.event_text.known_events import read_fields
from spetrace.ingest.event_text.kvm_formats import FORMATS, MARKER, MARKER_EVENT, MARKER_FORMAT
from spetrace.ingest.event_text.lines import PERF_SCRIPT, Lines, parse_lines
from spetrace.ingest.event_text.names import find_names

MOST_KINDS = 256
Rows = npt.NDArray[np.int64]
AsText = Collection[tuple[str, str]]


@dataclass
class Named:
    """Names of the chunk as numbers (-1: none), one per row, and by number as text."""

    codes: npt.NDArray[np.int32]
    names: list[str]


@dataclass
class EventRows:
    """The events of one tracepoint: which of the chunk's rows, and what their texts hold."""

    name: str
    rows: slice
    kept: npt.NDArray[np.bool_]
    """Which of these rows are told of: those that fit the format (`fields` has them all) or have
    pairs (`pairs` has only those)."""
    fields: list[pl.Series] = field(default_factory=list)
    pairs: Pairs | None = None


@dataclass
class Scan:
    """A chunk's events, sorted by tracepoint: `rows` of line_layout's columns, `index` their places
    among the chunk's events. `unfit` are events of known format whose text doesn't fit it.
    """

    lines: Lines
    index: npt.NDArray[np.int64]
    rows: Rows
    comm: Named
    instance: Named
    counts: dict[str, int]
    skipped: dict[str, int]
    events: list[EventRows]
    unfit: int
    tracepoints: int


def scan_chunk(chunk: bytes, tool: str | None, as_text: AsText) -> Scan:
    """Read one chunk of the text that `tool` printed.

    Events of no known format are read if their text is a list of name=value and their kind is among
    the chunk's first 256; the values of (event, name) in `as_text` are kept as text.
    """
    lines = parse_lines(chunk, tool)
    codes, names = find_names(lines.data, *_span(lines.events, layout.EVENT))
    order = np.argsort(codes.astype(np.int16) if len(names) < 1 << 15 else codes, kind="stable")
    rows = lines.events[order]
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    scan = Scan(
        lines,
        order,
        rows,
        Named(*find_names(lines.data, *_span(rows, layout.COMM))),
        Named(*find_names(lines.data, *_span(rows, layout.INSTANCE))),
        counts={},
        skipped={},
        events=[],
        unfit=0,
        tracepoints=int((rows[:, layout.KIND] == layout.TRACEPOINT).sum()),
    )
    for name, part in _parts(names, ends):
        event = MARKER_EVENT if name == MARKER else name
        scan.counts[event] = scan.counts.get(event, 0) + part.stop - part.start
        _read_events(scan, name, part, tool, {key for event, key in as_text if event == name})
    return scan


def _parts(names: list[str], ends: npt.NDArray[np.int64]) -> Iterator[tuple[str, slice]]:
    start = 0
    for name, end in zip(names, ends.tolist(), strict=True):
        yield name, slice(start, end)
        start = end


def _span(rows: Rows, first: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return np.ascontiguousarray(rows[:, first]), np.ascontiguousarray(rows[:, first + 1])


def _read_events(
    scan: Scan, name: str, part: slice, tool: str | None, as_text: Collection[str]
) -> None:
    starts, ends = _span(scan.rows[part], layout.TEXT)
    data: Bytes = scan.lines.data
    format_ = MARKER_FORMAT if name == MARKER else FORMATS.get(name)
    if format_ is not None:
        fields, fits = read_fields(data, starts, ends, format_)
        scan.unfit += len(fits) - int(fits.sum())
        if fits.any():
            event = MARKER_EVENT if name == MARKER else name
            scan.events.append(EventRows(event, part, fits, fields))
        return
    found = np.zeros(len(starts), np.bool_)
    if scan.rows[part.start, layout.KIND] == layout.TRACEPOINT and len(scan.counts) <= MOST_KINDS:
        pairs, found = read_pairs(data, starts, ends, tool == PERF_SCRIPT, as_text)
        if found.any():
            scan.events.append(EventRows(name, part, found, pairs=pairs))
    if not found.all():
        scan.skipped[name] = len(found) - int(found.sum())
