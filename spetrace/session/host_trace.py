"""The host's KVM events, over all files that hold some, in one order and on the session's clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.session.clocks import HostClock
from spetrace.session.event_run import Addresses, Integers
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of

ENTRY, EXIT, GUEST_FAULT = "kvm_entry", "kvm_exit", "kvm_guest_fault"
MMIO: Final = ("kvm_mmio", "kvm_mmio_emulate", "kvm_mmio_nisv")
UNMAP_HVA, SET_SPTE_HVA = "kvm_unmap_hva_range", "kvm_set_spte_hva"
MEMSLOT = "memslot"
S2_MAP, S2_UNMAP, S2_RELAX, S2_WP = "s2_map", "s2_unmap", "s2_relax", "s2_wp"
USED: Final = (
    ENTRY, EXIT, GUEST_FAULT, *MMIO, UNMAP_HVA, SET_SPTE_HVA, MEMSLOT,
    S2_MAP, S2_UNMAP, S2_RELAX, S2_WP,
)  # fmt: skip
"""The tracepoints and probes that the session reads."""

_COMMON = {
    "order": pl.Int64, "time_ns": pl.Int64, "source": pl.UInt16, "row": pl.Int64,
    "pid": pl.Int32, "tgid": pl.Int32, "comm": pl.String,
}  # fmt: skip


def is_host_trace(recording: Recording, more: Collection[str] = ()) -> bool:
    """Whether a recording holds any event that the session reads of a host: of USED, or `more`."""
    counts = frames_of(recording.tracepoints).counts
    return any(counts.get(name) for name in (*USED, *more))


@dataclass(frozen=True)
class HostEvents:
    """The events of one tracepoint, in order, as columns."""

    frame: pl.DataFrame

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def order(self) -> Integers:
        """Place among all events of the host trace; unique."""
        return self.frame["order"].to_numpy()

    @property
    def time_ns(self) -> Integers:
        """Time on the session's clock."""
        return self.frame["time_ns"].to_numpy()

    @property
    def pid(self) -> npt.NDArray[np.int32]:
        """Thread; -1 where unknown."""
        return self.frame["pid"].fill_null(-1).to_numpy()

    @property
    def row(self) -> Addresses:
        """Row in the tracepoint's own table."""
        return self.frame["row"].to_numpy().astype(np.uint64)

    def unsigned(self, field: str) -> Addresses:
        """One of the tracepoint's own fields; 0 where it is null or the tracepoint lacks it."""
        return self._unsigned(field).fill_null(0).to_numpy()

    def knows(self, field: str) -> npt.NDArray[np.bool_]:
        """Where the field has a value."""
        return self._unsigned(field).is_not_null().to_numpy()

    def where(self, mask: npt.NDArray[np.bool_]) -> HostEvents:
        """The events that a mask selects."""
        return HostEvents(self.frame.filter(pl.Series(mask, dtype=pl.Boolean)))

    def _unsigned(self, field: str) -> pl.Series:
        if field not in self.frame.columns:
            return pl.Series(field, [None] * len(self.frame), pl.UInt64)
        column = self.frame[field]
        if column.dtype == pl.Int64:
            return column.reinterpret(signed=False)
        return column.cast(pl.UInt64, strict=False)


_NONE: Final = HostEvents(pl.DataFrame(schema=_COMMON))


class HostTrace:
    """All events that the session reads, of one or several host files.

    Several files are taken as recordings of one host: their events are put in order of time, those
    of one time in order of the files.
    """

    def __init__(
        self,
        recordings: Mapping[int, Recording],
        clocks: Mapping[int, HostClock],
        more: Collection[str] = (),
    ) -> None:
        self._names = dict.fromkeys((*USED, *more))
        self._recordings = recordings
        self._clocks = clocks
        self._events = self._read()

    def __getitem__(self, name: str) -> HostEvents:
        """The events of one tracepoint; none where no file has it."""
        return self._events.get(name, _NONE)

    def has(self, name: str) -> bool:
        """Whether any file holds an event of the tracepoint, also of one that is not read."""
        inputs = self._recordings.values()
        return any(frames_of(r.tracepoints).counts.get(name) for r in inputs)

    @property
    def sources(self) -> list[int]:
        """The inputs that hold the host's events."""
        return list(self._recordings)

    @property
    def recordings(self) -> list[Recording]:
        """The same, as read."""
        return list(self._recordings.values())

    def other(self, name: str) -> HostEvents:
        """The events of a tracepoint that is not in USED; each file's in its own order."""
        frames = [
            self._placed(source, frame)
            for source, recording in self._recordings.items()
            for frame in frames_of(recording.tracepoints).select([name]).values()
            if len(frame)
        ]
        return HostEvents(pl.concat(frames, how="diagonal_relaxed")) if frames else _NONE

    def source_of(self, order: Integers) -> npt.NDArray[np.uint16]:
        """The input of each event, by its place among all that are read."""
        if len(self._recordings) == 1:
            return np.broadcast_to(np.uint16(self.sources[0]), order.shape)
        sources, places = self._sources_by_order
        return sources[np.searchsorted(places, order)]

    @cached_property
    def _sources_by_order(self) -> tuple[npt.NDArray[np.uint16], Integers]:
        frames = [events.frame.select("order", "source") for events in self._events.values()]
        both = pl.concat(frames or [_NONE.frame.select("order", "source")]).sort("order")
        return both["source"].to_numpy(), both["order"].to_numpy()

    @cached_property
    def first_ns(self) -> int | None:
        """Time of the recording's first event of any kind; None where there is none."""
        return min((first for first, _last in self.spans.values()), default=None)

    @cached_property
    def spans(self) -> dict[int, tuple[int, int]]:
        """Per input the times of its first and last event of any kind."""
        spans = {}
        for source, recording in self._recordings.items():
            span = frames_of(recording.tracepoints).span
            if span is not None:
                first, last = self._clocks[source].to_ns(np.array(span, np.int64)).tolist()
                spans[source] = (first, last)
        return spans

    def _read(self) -> dict[str, HostEvents]:
        parts: dict[str, list[pl.DataFrame]] = {}
        for source, recording in self._recordings.items():
            for name, frame in frames_of(recording.tracepoints).select(self._names).items():
                if len(frame):
                    parts.setdefault(name, []).append(self._placed(source, frame))
        frames = {name: pl.concat(p, how="diagonal_relaxed") for name, p in parts.items()}
        if len(self._recordings) > 1:
            frames = _ordered_by_time(frames)
        return {name: HostEvents(frame.sort("order")) for name, frame in frames.items()}

    def _placed(self, source: int, frame: pl.DataFrame) -> pl.DataFrame:
        time_ns = self._clocks[source].to_ns(frame["time_ns"].fill_null(0).to_numpy())
        return frame.with_columns(
            pl.col("index").cast(pl.Int64).alias("order"),
            pl.Series("time_ns", time_ns, pl.Int64),
            pl.lit(source, pl.UInt16).alias("source"),
            pl.int_range(pl.len()).alias("row"),
            pl.col("comm").cast(pl.String),
        )


def _ordered_by_time(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    keys = pl.concat(
        frame.select("time_ns", "source", "order").with_columns(pl.lit(name).alias("name"))
        for name, frame in frames.items()
    )
    place = keys.with_row_index("at").sort("time_ns", "source", "order", maintain_order=True)
    order = place.with_row_index("place").sort("at")["place"].cast(pl.Int64)
    ordered, start = {}, 0
    for name, frame in frames.items():
        own = order.slice(start, len(frame)).alias("order")
        ordered[name], start = frame.with_columns(own), start + len(frame)
    return ordered


def host_trace(
    recordings: Sequence[Recording],
    clocks: Mapping[int, HostClock],
    more: Collection[str] = (),
) -> HostTrace:
    """The host's events in `recordings`, whose clocks are given by input; `more` are read, too."""
    return HostTrace({i: r for i, r in enumerate(recordings) if i in clocks}, clocks, more)
