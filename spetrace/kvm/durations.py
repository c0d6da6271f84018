"""Lengths of time, however many, summed up exactly: count, sum, percentiles and maximum.

How it works: so many of them make a run, which is sorted and put into a file; the n-th of all is found
by halving the range of values, counting in each run those up to the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.spooled import Column, let_go
from spetrace.tables.kvm_summary import Times

_PERCENTILES: Final = (50, 90, 99)
_RUN_ROWS: Final = 1 << 16

Integers = npt.NDArray[np.int64]


class Durations:
    """Takes lengths of time; of the many ones memory holds a run."""

    def __init__(self, run_rows: int = _RUN_ROWS) -> None:
        self._run_rows = run_rows
        self._held: list[Integers] = []
        self._rows = 0
        self._runs = Column(np.int64, 8 * run_rows)
        self._ends = [0]
        self._total = 0

    def add(self, lengths: pl.Series) -> None:
        """Take some more: int64, null where one is not known."""
        known = (lengths.drop_nulls() if lengths.null_count() else lengths).to_numpy()
        self._total += int(known.sum())
        self._held.append(known)
        self._rows += len(known)
        if self._rows >= self._run_rows:
            self._end_run()

    def times(self) -> Times:
        """All of them summed up; nothing can be added any more."""
        self._end_run()
        count = self._ends[-1]
        if not count:
            return Times()
        values = self._runs.finish()
        bounds = zip(self._ends[:-1], self._ends[1:], strict=True)
        runs = [values[start:end] for start, end in bounds]
        ranks = [(count * q + 99) // 100 for q in _PERCENTILES]
        p50, p90, p99 = (nth(runs, rank) for rank in ranks)
        return Times(count, self._total, p50, p90, p99, max(int(run[-1]) for run in runs))

    def _end_run(self) -> None:
        if self._rows:
            self._runs.add(np.sort(np.concatenate(self._held)))
            self._ends.append(self._ends[-1] + self._rows)
            self._held, self._rows = [], 0


def nth(runs: Sequence[Integers], rank: int) -> int:
    """The value at place `rank`, from 1 on, of all runs' sorted together; each is sorted itself."""
    if len(runs) == 1:
        return int(runs[0][rank - 1])
    low, high = min(int(run[0]) for run in runs), max(int(run[-1]) for run in runs)
    while low < high:
        middle = (low + high) // 2
        if sum(int(np.searchsorted(run, middle, "right")) for run in runs) >= rank:
            high = middle
        else:
            low = middle + 1
        let_go(*runs)
    return low
