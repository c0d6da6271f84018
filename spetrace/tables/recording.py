"""What one input file holds, whatever its format: the value that every importer returns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.quality import Quality


@dataclass(frozen=True)
class TimeConversion:
    """Generic timer ticks to perf time, from PERF_RECORD_TIME_CONV (tools/perf/util/tsc.c)."""

    shift: int
    multiplier: int
    zero: int
    cycles: int = 0
    mask: int = 0
    short: bool = False


class SpeData(Protocol):
    """The SPE part of a recording: AUX streams, decoded when asked for."""

    @property
    def aux_records(self) -> pl.DataFrame:
        """PERF_RECORD_AUX in file order: table aux_records without `source`, plus `stream`.

        `stream` (uint32) numbers the AUX streams in order of their CPU (per-thread: of first
        appearance), and is the same number as in `batches`.
        """

    @property
    def stream_cpus(self) -> list[int | None]:
        """CPU of each stream; None in per-thread recordings."""

    @property
    def stream_tids(self) -> list[int | None]:
        """Thread of each stream; None in per-CPU recordings."""

    @property
    def time_conversion(self) -> TimeConversion | None:
        """TIME_CONV of the recording; None where it has none (then `time_ns` is null)."""

    @property
    def exclude_user(self) -> bool:
        """exclude_user of all SPE events: PMSCR_EL1.E0SPE is not set."""

    @property
    def exclude_kernel(self) -> bool:
        """exclude_kernel of all SPE events: PMSCR_EL1.E1SPE is not set."""

    def excludes(self, stream: int) -> tuple[bool, bool]:
        """exclude_user and exclude_kernel of the SPE events that wrote the stream."""

    @property
    def aux_area_bytes(self) -> int | None:
        """Size of an AUX area by the recording's command line (-m ,N); None where it doesn't tell."""

    @property
    def midrs(self) -> dict[int | None, int]:
        """MIDR_EL1 by CPU; under None the one that holds for all others."""

    def batches(
        self,
        columns: Collection[str] | None = None,
        source: int = 0,
        *,
        in_order: bool = True,
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The records as (stream, batch of table spe_records), stream after stream, in AUX order.

        `columns` restricts the columns (all by default). Where they need not be `in_order`, batches
        of several streams may come in turns, each stream's in its order. Losses found are counted in the
        recording's quality the first time through.
        """

    def stream_batches(
        self, stream: int, columns: Collection[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """The same records of one stream, in batches of at most `batch_rows`.

        Several streams may be gone through side by side: each holds little more than a batch.
        Losses are not counted.
        """

    def segments(self, stream: int) -> Iterator[Sequence[tuple[int, npt.NDArray[np.uint8]]]]:
        """The stream's SPE bytes, undecoded: segments of pieces, each with its AUX offset.

        Pieces of a segment follow each other; nothing goes on from one segment into the next.
        """


@dataclass
class Recording:
    """One input file, read."""

    name: str
    format: str
    size_bytes: int
    sha256: str | None = None
    """Hash of an input that can't be read again (a pipe); of others it is their file's."""
    clock: str | None = None
    """Name of the clock of `tracepoints` (ftrace's name) or "perf"; None where there is no time."""
    clock_is_ns: bool = True
    properties: dict[str, Any] = field(default_factory=dict)
    """Facts for people and session.json: hostname, kernel, cpus, command line, ... (JSON values)."""
    quality: Quality = field(default_factory=Quality)
    tracepoints: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Per tracepoint name (no system prefix) its events: `index` (uint64: place in the recording's
    time order over all tracepoints), `time_ns` (int64; in clock units where `clock_is_ns` is
    false), `cpu` (int32), `pid` (int32), `comm` (Categorical), `tgid` (int32, null where unknown),
    then the tracepoint's own fields under their own names, typed by the format file."""
    mappings: pl.DataFrame | None = None
    """Table mappings without `source`; None where the format has none."""
    threads: pl.DataFrame | None = None
    """Table threads without `source`; None where the format has none."""
    spe: SpeData | None = None
    events: pa.Table | None = None
    """An event log (table events), where the file is one."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """The event log's session line: replay parameters by name, costs nested under "costs"."""
