"""The host's events over all its files, on the session's clock, a stretch of their order at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from spetrace.session.clocks import HostClock
from spetrace.session.host_merge import Stretch, by_time, follow_in_time, merged
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of

COMMON: Final = {
    "order": pl.Int64, "time_ns": pl.Int64, "source": pl.UInt16, "row": pl.UInt32,
    "pid": pl.Int32,
}  # fmt: skip
"""The columns that every event has before its own: `order` is its place among all events of the
host's trace, `row` that in the tracepoint's own table."""

HELD_EVENTS: Final = 1 << 20
"""Of several files with no more events all are put in order at once."""


class HostStretches:
    """Goes over the host's events as often as asked, without holding them.

    Several files are taken as recordings of one host: their events are put in order of time, those
    of one time in order of the files. Of long ones no more than a stretch of each is held, where the
    stretches of each follow each other in time.
    """

    def __init__(
        self, recordings: Mapping[int, Recording], clocks: Mapping[int, HostClock]
    ) -> None:
        self._recordings = recordings
        self._clocks = clocks

    def of(self, names: Collection[str]) -> Iterator[Stretch]:
        """The events of `names`, each tracepoint's in order with COMMON before its own columns."""
        sources = [self._of(source, names) for source in self._recordings]
        if len(sources) == 1:
            yield from sources[0]
        elif self._are_merged:
            yield from merged(sources)
        else:
            yield by_time([stretch for source in sources for stretch in source])

    @cached_property
    def _are_merged(self) -> bool:
        """Whether files are long, and their events can be put in order a stretch at a time."""
        counts = {s: frames_of(r.tracepoints).counts for s, r in self._recordings.items()}
        if sum(sum(own.values()) for own in counts.values()) <= HELD_EVENTS:
            return False
        return all(follow_in_time(self._of(source, own)) for source, own in counts.items())

    def _of(self, source: int, names: Collection[str]) -> Iterator[Stretch]:
        rows: Counter[str] = Counter()
        for stretch in frames_of(self._recordings[source].tracepoints).stretches(names):
            placed = {}
            for name, frame in stretch.items():
                if len(frame):
                    placed[name] = self._placed(source, frame, rows[name])
                    rows[name] += len(frame)
            yield placed

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


def pids_of(frame: pl.DataFrame) -> np.ndarray:
    """The thread of each event; -1 where unknown."""
    pids = frame["pid"]
    return (pids.fill_null(-1) if pids.null_count() else pids).to_numpy()
