"""Mapped pages of one VM over time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.spooled import Column, let_go
from spetrace.tables.kvm_summary import StateSummary

_COUNTS: Final = ("mapped_pages", "writable_pages")


class StateSeries:
    """Takes one VM's rows of table vm_state."""

    def __init__(self) -> None:
        self._stage2_from = ""
        self._times = Column(np.int64)
        self._counts = {name: Column(np.int64) for name in _COUNTS}

    def add(self, state: pl.DataFrame) -> None:
        """Take some more: at least one."""
        self._stage2_from = self._stage2_from or str(state["stage2_from"][0])
        self._times.add(state["time_ns"].to_numpy())
        for name, column in self._counts.items():
            column.add(state[name].cast(pl.Int64).to_numpy())

    def summary(self, end_ns: int) -> StateSummary:
        """All of it, which holds until `end_ns`; nothing can be added any more."""
        times = self._times.finish()
        mapped, writable = (column.finish() for column in self._counts.values())
        lengths = np.diff(np.append(times, max(end_ns, int(times[-1]))))
        weights = lengths if int(lengths.sum()) else np.ones(len(times), np.int64)
        peak = int(mapped.argmax())
        means = [_mean(counts, weights) for counts in (mapped, writable)]
        let_go(times)
        return StateSummary(
            stage2_from=self._stage2_from,
            start_pages=int(mapped[0]),
            peak_pages=int(mapped[peak]),
            peak_ns=int(times[peak]),
            end_pages=int(mapped[-1]),
            mean_pages=means[0],
            mean_writable_pages=means[1],
            times_ns=times,
            mapped_pages=mapped,
            writable_pages=writable,
        )


def _mean(counts: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]) -> float:
    mean = float(np.average(counts, weights=weights))
    let_go(counts)
    return mean


def state_summary(state: pl.DataFrame, end_ns: int) -> StateSummary:
    """Of one VM's rows of table vm_state; it holds until `end_ns`."""
    series = StateSeries()
    series.add(state)
    return series.summary(end_ns)
