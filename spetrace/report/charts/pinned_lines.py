"""Pinned memory as lines to draw: per VM and over all, strategies with the same line as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from spetrace.report.charts.reduction import Ints, envelope_rows
from spetrace.report.charts.series import by_strategy
from spetrace.report.counters import strategies_of, vms_of
from spetrace.tables.run import Run

POINTS_MAX: Final = 24_000
"""Drawn in all; a line gets its even part."""
VMS_MAX: Final = 8
_POINTS_MIN: Final = 64


@dataclass(frozen=True)
class PinnedLine:
    """The step function of one or more strategies."""

    names: tuple[str, ...]
    times_ns: Ints
    """Of the drawn changes."""
    pinned_bytes: Ints
    """From then on."""
    changes: int
    """Of each of these strategies."""


@dataclass(frozen=True)
class PinnedPart:
    """The lines of one VM, or of all of them."""

    title: str
    lines: tuple[PinnedLine, ...]


def pinned_parts(run: Run) -> list[PinnedPart]:
    """All VMs together, then each where there are several: the first VMS_MAX with pinned memory."""
    frames = dict(by_strategy(run, run.pinned, ["vm", "ts", "pinned_bytes"]))
    if not frames:
        return []
    several = len(vms_of(run)) > 1
    found = {vm for frame in frames.values() for vm in frame["vm"].unique().to_list()}
    vms = sorted(found)[:VMS_MAX] if several else []
    most = POINTS_MAX // max(1, len(frames) * (1 + len(vms)))
    idle = [name for name in strategies_of(run) if name not in frames]
    parts = [PinnedPart("All VMs", _lines({n: _summed(f) for n, f in frames.items()}, idle, most))]
    for vm in vms:
        own = {name: _of_vm(frame, vm) for name, frame in frames.items()}
        parts.append(PinnedPart(f"VM {vm}", _lines(own, idle, most)))
    return parts


def _of_vm(frame: pl.DataFrame, vm: int) -> pl.DataFrame:
    return frame.filter(pl.col("vm") == vm).sort("ts", maintain_order=True)


def _summed(frame: pl.DataFrame) -> pl.DataFrame:
    """The sum over the VMs after each moment with a change."""
    ordered = frame.sort("ts", maintain_order=True)
    if frame["vm"].n_unique() <= 1:
        return ordered
    change = pl.col("pinned_bytes") - pl.col("pinned_bytes").shift(1).over("vm").fill_null(0)
    summed = ordered.with_columns(pinned_bytes=change.cum_sum())
    return summed.unique("ts", keep="last", maintain_order=True)


def _lines(frames: dict[str, pl.DataFrame], idle: list[str], most: int) -> tuple[PinnedLine, ...]:
    groups = list(_alike(frames))
    budget = max(_POINTS_MIN, most * len(frames) // max(1, len(groups)))
    lines = [_line(tuple(names), frames[names[0]], budget) for names in groups]
    nothing = np.empty(0, np.int64)
    return (*lines, PinnedLine(tuple(idle), nothing, nothing, 0)) if idle else tuple(lines)


def _alike(frames: dict[str, pl.DataFrame]) -> Iterator[list[str]]:
    """Names of strategies with the same changes at the same times."""
    left = list(frames)
    while left:
        first = frames[left[0]].select("ts", "pinned_bytes")
        same = [n for n in left if first.equals(frames[n].select("ts", "pinned_bytes"))]
        left = [n for n in left if n not in same]
        yield same


def _line(names: tuple[str, ...], frame: pl.DataFrame, most: int) -> PinnedLine:
    times, pinned = (frame[c].to_numpy().astype(np.int64) for c in ("ts", "pinned_bytes"))
    rows = envelope_rows(pinned, most)
    return PinnedLine(names, times[rows], pinned[rows], len(times))
