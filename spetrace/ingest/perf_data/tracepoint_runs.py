"""Any number of samples in the order of their times, a stretch at a time, at a bounded cost of memory.

How it works: so many consecutive samples of the file make a run; each run is sorted by itself and
spilled. A stretch is what all runs hold between two cuts of the common order; of the runs only the
times at regular steps (marks) stay in memory, and the cuts are some of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.perf_data.tracepoint_spill import Spill

RUN_ROWS = 1 << 18
"""Samples of a run, and of a stretch."""
STEP_ROWS = 1 << 10
"""Samples from one mark to the next."""
ROW = np.dtype(
    [
        ("time_ns", np.int64),
        ("pid", np.int32),
        ("tid", np.int32),
        ("cpu", np.int32),
        ("starts", np.int64),
        ("lengths", np.uint16),
        ("event", np.int32),
    ]
)
"""A sample as it is spilled: the fields of `tracepoint_samples.Samples`."""

RowArray = npt.NDArray[Any]


class _Run(NamedTuple):
    place: int
    """Where it is in the spill."""
    rows: int
    marks: npt.NDArray[np.int64]
    last: int
    """The last time; the first is the first mark."""


class SampleRuns:
    """Collects samples in file order, gives them in that of their times; of one time, the file's."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._runs: list[_Run] = []

    def add(self, rows: RowArray) -> None:
        """Take in the samples (ROW) that follow in the file: at least one."""
        times = rows["time_ns"]
        if (times[1:] < times[:-1]).any():
            rows = _by_time(rows)
            times = rows["time_ns"]
        place = self._spill.write(rows)
        self._runs.append(_Run(place, len(rows), times[::STEP_ROWS].copy(), int(times[-1])))

    def rewrite(self, change: Callable[[RowArray], RowArray]) -> None:
        """Change the rows of each run, but not their times."""
        for run in self._runs:
            self._spill.write(change(self._rows(run, 0, run.rows)), run.place)

    def runs(self) -> Iterator[RowArray]:
        """The samples run by run, in file order."""
        for run in self._runs:
            yield self._rows(run, 0, run.rows)

    def stretches(self) -> Iterator[RowArray]:
        """The samples in the order of their times; those of a stretch are about as many as a run's."""
        begins = [0] * len(self._runs)
        for ends in self._cuts():
            zipped = zip(self._runs, begins, ends, strict=True)
            parts = [self._read(run, begin, end) for run, begin, end in zipped if begin < end]
            rows = np.frombuffer(b"".join(parts), ROW)
            begins = ends
            yield rows if len(parts) < 2 else _by_time(rows)

    def _cuts(self) -> Iterator[list[int]]:
        """For each cut, and for the end, how many rows of each run come before it.

        Cuts are at marks, as many apart as a run has, in the order of (time, run, row): this is the
        order of the samples too, and tells where to cut between samples of one time.
        """
        sizes = [len(run.marks) for run in self._runs]
        if not sizes:
            return
        order = np.argsort(np.concatenate([run.marks for run in self._runs]), kind="stable")
        begins = np.cumsum([0, *sizes])
        for mark in order[RUN_ROWS // STEP_ROWS :: RUN_ROWS // STEP_ROWS].tolist():
            own = int(np.searchsorted(begins, mark, "right")) - 1
            step = mark - int(begins[own])
            time = int(self._runs[own].marks[step])
            before = [self._rows_before(run, time, ties=True) for run in self._runs[:own]]
            after = [self._rows_before(run, time, ties=False) for run in self._runs[own + 1 :]]
            yield [*before, step * STEP_ROWS, *after]
        yield [run.rows for run in self._runs]

    def _rows_before(self, run: _Run, time: int, *, ties: bool) -> int:
        """How many rows of a run are before a time, with `ties` also those at it."""
        if run.last < time or (ties and run.last == time):
            return run.rows
        side: Literal["left", "right"] = "right" if ties else "left"
        mark = int(np.searchsorted(run.marks, time, side)) - 1
        if mark < 0:
            return 0
        begin = mark * STEP_ROWS
        step = self._rows(run, begin, min(begin + STEP_ROWS, run.rows))
        return begin + int(np.searchsorted(step["time_ns"], time, side))

    def _rows(self, run: _Run, begin: int, end: int) -> RowArray:
        return np.frombuffer(self._read(run, begin, end), ROW)

    def _read(self, run: _Run, begin: int, end: int) -> bytes:
        return self._spill.read(run.place + begin * ROW.itemsize, (end - begin) * ROW.itemsize)


def _by_time(rows: RowArray) -> RowArray:
    """Sorted; `take` is far quicker than an index here."""
    return rows.take(np.argsort(rows["time_ns"], kind="stable"))
