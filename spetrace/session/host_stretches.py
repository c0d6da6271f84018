"""The host's events over all its files, on the session's clock, a stretch of their order at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np
import polars as pl

from spetrace.session.clocks import HostClock
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of

COMMON: Final = {
    "order": pl.Int64, "time_ns": pl.Int64, "source": pl.UInt16, "row": pl.UInt32,
    "pid": pl.Int32,
}  # fmt: skip
"""The columns that every event has before its own: `order` is its place among all events of the
host's trace, `row` that in the tracepoint's own table."""

Stretch = dict[str, pl.DataFrame]


class HostStretches:
    """Goes over the host's events as often as asked, without holding them.

    Several files are taken as recordings of one host: their events are put in order of time, those
    of one time in order of the files; for that they are held.
    """

    def __init__(
        self, recordings: Mapping[int, Recording], clocks: Mapping[int, HostClock]
    ) -> None:
        self._recordings = recordings
        self._clocks = clocks

    def of(self, names: Collection[str]) -> Iterator[Stretch]:
        """The events of `names`, each tracepoint's in order with COMMON before its own columns."""
        if len(self._recordings) > 1:
            yield self._merged(names)
            return
        for source in self._recordings:
            yield from self._of(source, names)

    def _of(self, source: int, names: Collection[str]) -> Iterator[Stretch]:
        rows: Counter[str] = Counter()
        for stretch in frames_of(self._recordings[source].tracepoints).stretches(names):
            placed = {}
            for name, frame in stretch.items():
                if len(frame):
                    placed[name] = self._placed(source, frame, rows[name])
                    rows[name] += len(frame)
            yield placed

    def _merged(self, names: Collection[str]) -> Stretch:
        parts: dict[str, list[pl.DataFrame]] = {}
        for source in self._recordings:
            for stretch in self._of(source, names):
                for name, frame in stretch.items():
                    parts.setdefault(name, []).append(frame)
        return _by_time({n: pl.concat(p, how="diagonal_relaxed") for n, p in parts.items()})

    def _placed(self, source: int, frame: pl.DataFrame, first_row: int) -> pl.DataFrame:
        time_ns = self._clocks[source].to_ns(frame["time_ns"].fill_null(0).to_numpy())
        rows = pl.int_range(first_row, first_row + pl.len(), dtype=pl.UInt32)
        own = [name for name in frame.columns if name not in (*COMMON, "index")]
        return frame.select(
            pl.col("index").cast(pl.Int64).alias("order"),
            pl.Series("time_ns", time_ns, pl.Int64),
            pl.lit(source, pl.UInt16).alias("source"),
            rows.alias("row"),
            "pid",
            *own,
        ).sort("order")


def _by_time(frames: Stretch) -> Stretch:
    """The events of several files, their `order` that of time."""
    if not frames:
        return {}
    keys = pl.concat(frame.select("time_ns", "source", "order") for frame in frames.values())
    place = keys.with_row_index("at").sort("time_ns", "source", "order", maintain_order=True)
    order = place.with_row_index("place").sort("at")["place"].cast(pl.Int64)
    ordered, start = {}, 0
    for name, frame in frames.items():
        own = order.slice(start, len(frame)).alias("order")
        ordered[name], start = frame.with_columns(own).sort("order"), start + len(frame)
    return ordered


def pids_of(frame: pl.DataFrame) -> np.ndarray:
    """The thread of each event; -1 where unknown."""
    pids = frame["pid"]
    return (pids.fill_null(-1) if pids.null_count() else pids).to_numpy()
