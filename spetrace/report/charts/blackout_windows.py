"""Blackout windows to draw: the longest of each strategy, and how much of the time all take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.report.charts.reduction import Ints, longest_rows
from spetrace.report.charts.scales import TimeScale
from spetrace.report.charts.series import by_strategy
from spetrace.tables.run import Run

WINDOWS_MAX: Final = 9_000
"""Drawn in all; a strategy gets its even part."""
LANES_MAX: Final = 24
BINS: Final = 300
_COLUMNS: Final = ["vm", "vcpu", "start_ns", "end_ns", "cause", "records_lost"]


@dataclass(frozen=True)
class Windows:
    """Windows of one strategy and cause, as drawn."""

    cause: str
    starts_ns: Ints
    lengths_ns: Ints
    lanes: Ints
    records_lost: Ints


@dataclass(frozen=True)
class StrategyWindows:
    """The windows of one strategy."""

    name: str
    count: int
    total_ns: int
    drawn: tuple[Windows, ...]
    share: npt.NDArray[np.float64]
    """Per bin of the session's time: of the time of all vCPUs that is spent in windows."""


@dataclass(frozen=True)
class BlackoutWindows:
    """The windows of a run: lanes are vCPUs, in the order of VM and vCPU."""

    lanes: tuple[str, ...]
    all_lanes: int
    strategies: tuple[StrategyWindows, ...]

    @property
    def count(self) -> int:
        """All windows."""
        return sum(s.count for s in self.strategies)

    @property
    def drawn(self) -> int:
        """Those that are drawn."""
        return sum(len(w.starts_ns) for s in self.strategies for w in s.drawn)


def blackout_windows(run: Run, times: TimeScale) -> BlackoutWindows | None:
    """None where no strategy has a window."""
    frames = dict(by_strategy(run, run.blackouts, _COLUMNS))
    if not frames:
        return None
    lanes = _lanes(list(frames.values()))
    kept = lanes.sort("total_ns", descending=True).head(LANES_MAX).sort("vm", "vcpu")
    several = kept["vm"].n_unique() > 1
    names = [f"VM {vm} vCPU {n}" if several else f"vCPU {n}" for vm, n, _ in kept.iter_rows()]
    keyed = kept.select("vm", "vcpu").with_row_index("lane")
    most = max(1, WINDOWS_MAX // len(frames))
    found = [_strategy(n, f, keyed, most, times, len(lanes)) for n, f in frames.items()]
    return BlackoutWindows(tuple(names), len(lanes), tuple(found))


def _lanes(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """VM and vCPU of all windows, and the time that they come to."""
    length = pl.col("end_ns") - pl.col("start_ns")
    sums = [f.group_by("vm", "vcpu").agg(total_ns=length.sum()) for f in frames]
    return pl.concat(sums).group_by("vm", "vcpu").agg(pl.col("total_ns").sum()).sort("vm", "vcpu")


def _strategy(
    name: str, frame: pl.DataFrame, lanes: pl.DataFrame, most: int, times: TimeScale, vcpus: int
) -> StrategyWindows:
    starts, ends = (frame[c].to_numpy().astype(np.int64) for c in ("start_ns", "end_ns"))
    laned = frame.join(lanes, ["vm", "vcpu"], maintain_order="left")
    lengths = (laned["end_ns"] - laned["start_ns"]).to_numpy().astype(np.int64)
    shown = laned[longest_rows(lengths, most)]
    causes = shown.partition_by("cause", as_dict=True)
    return StrategyWindows(
        name,
        len(frame),
        int((ends - starts).sum()),
        tuple(_windows(str(key[0]), part) for key, part in sorted(causes.items())),
        _share(starts, ends, times, vcpus),
    )


def _windows(cause: str, part: pl.DataFrame) -> Windows:
    columns = (
        part["start_ns"], part["end_ns"] - part["start_ns"], part["lane"], part["records_lost"],
    )  # fmt: skip
    return Windows(cause, *(column.to_numpy().astype(np.int64) for column in columns))


def _share(starts: Ints, ends: Ints, times: TimeScale, vcpus: int) -> npt.NDArray[np.float64]:
    """Time in windows per bin, of the time of so many vCPUs: differences of its running sum."""
    edges = times.start_ns + np.linspace(0, times.span_ns, BINS + 1)
    running = _elapsed(starts, edges) - _elapsed(ends, edges)
    share: npt.NDArray[np.float64] = np.diff(running) / (times.span_ns / BINS * vcpus)
    return share


def _elapsed(moments: Ints, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """At each edge the time since each moment that is past, summed up."""
    ordered = np.sort(moments)
    past = np.searchsorted(ordered, edges, side="right")
    origin = edges[0]
    sums = np.concatenate([[0.0], np.cumsum(ordered - origin)])
    elapsed: npt.NDArray[np.float64] = past * (edges - origin) - sums[past]
    return elapsed
