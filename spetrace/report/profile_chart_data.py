"""What the charts of a profile draw, reduced to what a screen can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.report.profile_labels import source_label, stream_label
from spetrace.report.units import render_time
from spetrace.tables.profile import HeatMap, Profile

Numbers = npt.NDArray[np.int64]

_CURVES: Final = 11
_BINS_PER_OCTAVE: Final = 4
_LATENCY_BITS: Final = 16
_LANES: Final = 64
_GAPS: Final = 2000
_NS: Final = 1e9
LATENCY_EDGES: Final = np.unique(
    np.round(2.0 ** (np.arange(_LATENCY_BITS * _BINS_PER_OCTAVE + 1) / _BINS_PER_OCTAVE))
).astype(np.int64)
"""Where the bins of latencies begin, from 1 cycle on; a latency of 0 is drawn with 1."""


@dataclass(frozen=True)
class LatencyCurve:
    """The latencies of one data source: samples per bin."""

    name: str
    total: int
    cycles: list[int]
    """First latency of each bin."""
    ends: list[int]
    """Last latency of each bin."""
    samples: list[int]
    percent: list[float]


@dataclass(frozen=True)
class HeatCells:
    """The cells of a heat map, row by row; no samples is None."""

    seconds: list[float]
    samples: list[list[int | None]]
    logarithms: list[list[float | None]]
    ranges: list[str]
    """The addresses of each row."""
    region_ranges: list[str]
    """Those of them that a region begins with."""
    region_labels: list[str]
    ticks: list[float]
    tick_labels: list[str]
    column_time: str

    @property
    def rows(self) -> int:
        """How many rows of addresses there are."""
        return len(self.samples)

    @property
    def columns(self) -> int:
        """How many bins of time there are."""
        return len(self.seconds)


@dataclass(frozen=True)
class Lane:
    """The sample rate of one AUX stream."""

    key: tuple[Any, ...]
    """source, cpu and tid."""
    name: str
    seconds: list[float]
    samples: list[int]
    rates: list[float]
    """Samples per second in each bin; 0 where there is none."""

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(self.rates)


@dataclass(frozen=True)
class GapShapes:
    """Rectangles, parted by None."""

    x: list[float | None]
    y: list[float | None]
    count: int


def curves(counts: pl.DataFrame) -> tuple[list[LatencyCurve], int]:
    """The latency curves of loads by data source and of stores; how many sources are one curve."""
    if not len(counts):
        return [], 0
    told = counts.filter(pl.col("operation").is_in(["load", "store"]))
    groups = told.group_by("operation", "data_source").agg("cycles", "samples")
    named = [
        (_curve_name(operation, source), np.array(cycles), np.array(samples))
        for operation, source, cycles, samples in groups.iter_rows()
    ]
    named.sort(key=lambda each: (-int(each[2].sum()), each[0]))
    kept, rest = named[:_CURVES], named[_CURVES:]
    if rest:
        cycles, samples = (np.concatenate([each[n] for each in rest]) for n in (1, 2))
        kept.append((f"{len(rest):,} other sources", cycles, samples))
    return [_curve(*each) for each in kept], len(rest)


def _curve_name(operation: str, source: str | None) -> str:
    if operation == "load" and source is not None:
        return source_label(source)
    return f"{operation}s" + (f", {source_label(source)}" if source is not None else "")


def _curve(name: str, cycles: Numbers, samples: Numbers) -> LatencyCurve:
    bins = np.searchsorted(LATENCY_EDGES, np.maximum(cycles, 1), "right") - 1
    first, last = int(bins.min()), int(bins.max())
    counts = np.bincount(bins - first, weights=samples).astype(np.int64)
    edges = [*LATENCY_EDGES[first : last + 2].tolist(), 1 << _LATENCY_BITS]
    total = int(samples.sum())
    begins, ends = edges[: len(counts)], [edge - 1 for edge in edges[1 : len(counts) + 1]]
    # A last point at the bin's end closes the curve.
    return LatencyCurve(
        name,
        total,
        [*begins, ends[-1] + 1],
        [*ends, ends[-1] + 1],
        [*counts.tolist(), 0],
        [*np.round(counts * 100 / total, 3).tolist(), 0.0],
    )


def heat_cells(heat: HeatMap) -> HeatCells:
    """The cells of a heat map, coloured by the logarithm of their samples."""
    columns = len(heat.counts[0])
    most = max(map(max, heat.counts))
    decades = range(len(str(most)))
    regions = [
        row
        for row, start in enumerate(heat.row_starts)
        if not row or start != heat.row_ends[row - 1]
    ]
    ranges = [f"{a:#x} to {b:#x}" for a, b in zip(heat.row_starts, heat.row_ends, strict=True)]
    return HeatCells(
        seconds=[round((n + 0.5) * heat.bin_ns / _NS, 9) for n in range(columns)],
        samples=[[count or None for count in row] for row in heat.counts],
        logarithms=[[round(math.log10(c), 3) if c else None for c in row] for row in heat.counts],
        ranges=ranges,
        region_ranges=[ranges[row] for row in regions],
        region_labels=[f"{heat.row_starts[row]:#x}" for row in regions],
        ticks=[float(n) for n in decades],
        tick_labels=[f"{10**n:,}" for n in decades],
        column_time=render_time(heat.bin_ns),
    )


def since_start(profile: Profile, time_ns: int) -> float:
    """Seconds since the first sample."""
    return (time_ns - (profile.span_ns or (0, 0))[0]) / _NS


def lanes(profile: Profile) -> tuple[list[Lane], int]:
    """The streams with the most samples that have times, in order; and how many there are."""
    streams = [row for row in profile.cpus.to_pylist() if row["first_ns"] is not None]
    largest = sorted(streams, key=lambda row: -row["samples"])[:_LANES]
    chosen = [row for row in streams if row in largest]
    by_stream: dict[tuple[Any, ...], dict[int, int]] = {}
    bin_ns = 1
    for row in profile.rates.to_pylist():
        by_stream.setdefault(_key(row), {})[row["start_ns"]] = row["samples"]
        bin_ns = row["end_ns"] - row["start_ns"]
    several = len(profile.inputs) > 1
    return [
        _lane(profile, row, stream_label(row, several), by_stream[_key(row)], bin_ns)
        for row in chosen
    ], len(streams)


def _lane(
    profile: Profile, row: dict[str, Any], name: str, counts: dict[int, int], bin_ns: int
) -> Lane:
    first, last = profile.span_ns or (0, 0)
    starts = range(first, last + 1, bin_ns)
    samples = [counts.get(start, 0) for start in starts]
    return Lane(
        _key(row),
        name,
        [
            *(since_start(profile, start) for start in starts),
            since_start(profile, starts[-1] + bin_ns),
        ],
        [*samples, 0],
        [*(count * _NS / bin_ns for count in samples), 0.0],
    )


def drawn_gaps(profile: Profile, drawn: Sequence[Lane]) -> tuple[GapShapes, int]:
    """The longest gaps of the lanes as rectangles in them; and how many gaps there are.

    A gap without an end lasts to the last sample.
    """
    places = {lane.key: place for place, lane in enumerate(drawn)}
    first, last = profile.span_ns or (0, 0)
    spans = [
        (places[_key(row)], *(edge if edge is not None else default
         for edge, default in ((row["start_ns"], first), (row["end_ns"], last))))
        for row in profile.gaps.to_pylist()
        if _key(row) in places
    ]  # fmt: skip
    spans.sort(key=lambda span: span[1] - span[2])
    shown = spans[:_GAPS]
    x: list[float | None] = []
    y: list[float | None] = []
    for place, start, end in shown:
        left, right = since_start(profile, start), since_start(profile, end)
        x += [left, left, right, right, left, None]
        y += [place, place + 0.9, place + 0.9, place, place, None]
    return GapShapes(x, y, len(shown)), len(profile.gaps)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["source"], row["cpu"], row["tid"]
