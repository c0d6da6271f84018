"""What a profile of SPE records came to: the value that is saved and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace.tables.profiles import (
    PROFILE_CPUS,
    PROFILE_EVENTS,
    PROFILE_FUNCTIONS,
    PROFILE_LATENCIES,
    PROFILE_PAGES,
    PROFILE_PCS,
    PROFILE_RATES,
)
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.session import Assumption


@dataclass
class HeatMap:
    """Samples over time and data addresses: rows of addresses that follow each other."""

    start_ns: int = 0
    bin_ns: int = 1
    """Length of a column in time; the first begins at `start_ns`."""
    row_starts: list[int] = field(default_factory=list)
    row_ends: list[int] = field(default_factory=list)
    """Addresses of the rows, half open, ascending; between rows nothing was sampled."""
    counts: list[list[int]] = field(default_factory=list)
    """Samples by row, then by column."""


@dataclass
class Profile:
    """Where a recording's samples are, and what they waited for."""

    inputs: list[dict[str, Any]] = field(default_factory=list)
    """Per input file: name, format, size_bytes."""
    samples: int = 0
    """Records that were counted: all, or those that the choices leave."""
    span_ns: tuple[int, int] | None = None
    """First and last time; None where no record has one."""
    operations: dict[str | None, int] = field(default_factory=dict)
    """Records by operation; None: not recorded."""
    distinct_pcs: int = 0
    distinct_functions: int = 0
    distinct_pages: int = 0
    """How many there are; the tables hold the most frequent ones."""
    quality: pa.Table = field(default_factory=QUALITY.empty)
    gaps: pa.Table = field(default_factory=RECORDING_GAPS.empty)
    assumptions: list[Assumption] = field(default_factory=list)
    functions: pa.Table = field(default_factory=PROFILE_FUNCTIONS.empty)
    pcs: pa.Table = field(default_factory=PROFILE_PCS.empty)
    """The most frequent instructions, then those most mispredicted that are not among them."""
    pages: pa.Table = field(default_factory=PROFILE_PAGES.empty)
    latencies: pa.Table = field(default_factory=PROFILE_LATENCIES.empty)
    events: pa.Table = field(default_factory=PROFILE_EVENTS.empty)
    cpus: pa.Table = field(default_factory=PROFILE_CPUS.empty)
    rates: pa.Table = field(default_factory=PROFILE_RATES.empty)
    latency_counts: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Total latencies exactly: `operation`, `data_source` (String), `cycles` (UInt16), `samples`."""
    heat_map: HeatMap | None = None
    """None where no record has a data address and a time."""
    choices: dict[str, str] = field(default_factory=dict)
    """What was asked for: top, cpu, source, kallsyms, symfs."""
