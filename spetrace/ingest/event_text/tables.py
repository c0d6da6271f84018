"""The tables of a text log's events, gathered chunk by chunk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.columns import COMMON, owned, told
from spetrace.ingest.event_text.key_values import Pairs
from spetrace.ingest.event_text.pair_plan import PairPlan
from spetrace.ingest.event_text.scan import MOST_KINDS, Named, Scan
from spetrace.ingest.event_text.spool import Place, Spool
from spetrace.ingest.event_text.spooled_frames import SpooledFrames
from spetrace.spooled import chunks, let_go

Integers = npt.NDArray[np.int64]

_UNKNOWN_NAME = "<...>"
_GUEST_NAME = re.compile(r"\[guest/([0-9]{1,9})\]|:-?[0-9]+")
"""What perf script prints for a thread of a guest's machine, whose VMM is process PID, and for one
without a name."""
_U32 = {"slot": pl.UInt32(), "flags": pl.UInt32(), "prot": pl.UInt32()}
_WIDTHS = dict.fromkeys(("memslot", "s2_map", "s2_relax"), _U32)
"""Types of the recommended probes' fields that a text doesn't tell."""
_HELD_EVENTS = 1 << 20
"""Of a text with more events the frames go to a temporary file."""
_STRETCH_EVENTS = 1 << 18
"""So many at a time."""


class Tables:
    """Per tracepoint the chunks' frames."""

    def __init__(self, is_perf: bool) -> None:
        self.count = 0
        self.instances: dict[str, None] = {}
        self.has_guest = False
        """Whether perf script printed a thread of a guest's machine."""
        self._is_perf = is_perf
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._pairs: dict[str, list[Pairs]] = {}
        self._plans: dict[str, PairPlan] = {}
        self._held = 0
        self._bounds: list[int] = []
        self._spool: Spool | None = None
        self._stretches: list[dict[str, Place]] = []

    def add(self, scan: Scan) -> dict[str, int]:
        """Take a chunk's events; returns by name how many were of too many kinds to be read."""
        common = self._common(scan)
        self.count += len(scan.rows)
        refused: dict[str, int] = {}
        for event in scan.events:
            frame = common[event.rows].hstack(event.fields)
            if not event.kept.all():
                frame = frame.filter(pl.Series(event.kept))
            if event.pairs is None:
                self._frames.setdefault(event.name, []).append(frame)
            elif event.name in self._plans or len(self._plans) < MOST_KINDS:
                self._frames.setdefault(event.name, []).append(frame)
                self._pairs.setdefault(event.name, []).append(event.pairs)
                self._plans.setdefault(event.name, PairPlan()).learn(event.pairs)
            else:
                refused[event.name] = len(frame)
                continue
            self._see_bounds(frame)
            self._held += len(frame)
        if self._held >= (_STRETCH_EVENTS if self._spool else _HELD_EVENTS):
            self._put_away()
        return refused

    def _common(self, scan: Scan) -> pl.DataFrame:
        """The columns before the events' own fields."""
        rows = scan.rows
        index = scan.index.astype(np.uint64) + np.uint64(self.count)
        guests = _guest_processes(scan.comm.names) if self._is_perf else {}
        names = [None if n == _UNKNOWN_NAME or n in guests else n for n in scan.comm.names]
        processes = [guests.get(n) for n in scan.comm.names]
        self.has_guest = self.has_guest or any(process is not None for process in processes)
        self.instances |= dict.fromkeys(scan.instance.names)
        tgid = told(rows[:, layout.TGID])
        if guests:
            tgid = tgid.zip_with(tgid.is_not_null(), _named(scan.comm, processes, pl.Int32()))
        columns = (
            owned(pl.Series(index)),
            owned(pl.Series(np.ascontiguousarray(rows[:, layout.TIME]))),
            told(rows[:, layout.CPU]),
            told(rows[:, layout.PID]),
            _named(scan.comm, names, pl.Categorical()),
            tgid,
            _named(scan.instance, scan.instance.names, pl.Categorical()),
        )
        return pl.DataFrame([c.alias(n) for n, c in zip(COMMON, columns, strict=True)])

    def mixed(self) -> set[tuple[str, str]]:
        """The (event, name) whose values are numbers in some chunks and can't be in others."""
        return {(event, key) for event, plan in self._plans.items() for key in plan.mixed}

    def finish(self, times: Integers | None = None) -> Mapping[str, pl.DataFrame]:
        """The tables by tracepoint, in order of their names: of a long text on disk.

        `times` are those of all events by their index, where they are not those of the text.
        """
        final = partial(self._final, times=times)
        if self._spool is None:
            return {event: final(event, self._joined(event)) for event in sorted(self._frames)}
        self._put_away()
        span = (min(self._bounds), max(self._bounds)) if self._bounds else None
        if times is not None:
            bounds = [
                (int(t.min()), int(t.max())) for t in map(times.__getitem__, chunks(len(times)))
            ]
            span = min(low for low, _ in bounds), max(high for _, high in bounds)
            let_go(times)
        return SpooledFrames(self._spool, self._stretches, final, span)

    def _see_bounds(self, frame: pl.DataFrame) -> None:
        if len(frame):
            low, high = frame.select(
                pl.col("time_ns").min(), pl.col("time_ns").max().alias("")
            ).row(0)
            self._bounds = [min([low, *self._bounds]), max([high, *self._bounds])]

    def _put_away(self) -> None:
        """Write what is held to the spool."""
        self._spool = self._spool or Spool()
        frames = {event: self._joined(event) for event in list(self._frames)}
        self._stretches.append(self._spool.write(frames))
        self._held = 0

    def _joined(self, event: str) -> pl.DataFrame:
        """What is held of an event, which is held no more."""
        frame = pl.concat(self._frames.pop(event))
        if event in self._plans:
            frame = frame.hstack(self._plans[event].held(self._pairs.pop(event)))
        return frame

    def _final(self, event: str, frame: pl.DataFrame, times: Integers | None) -> pl.DataFrame:
        if times is not None:
            frame = frame.with_columns(pl.Series("time_ns", times[frame["index"].to_numpy()]))
            let_go(times)
        if event in self._plans:
            frame = self._plans[event].chosen(frame, _WIDTHS.get(event, {}))
        return frame if self.instances else frame.drop("instance")


def _named(named: Named, values: Sequence[str | int | None], type_: pl.DataType) -> pl.Series:
    """What the numbers stand for by `values`; null for -1."""
    codes = np.where(named.codes < 0, len(values), named.codes)
    return pl.Series([*values, None], dtype=type_).gather(codes)


def _guest_processes(names: Iterable[str]) -> dict[str, int | None]:
    """By name that perf script prints for a guest's thread the process of its VMM, if told."""
    matches = {name: _GUEST_NAME.fullmatch(name) for name in names}
    return {name: int(m[1]) if m[1] else None for name, m in matches.items() if m}
