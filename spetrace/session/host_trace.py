"""The host's KVM events, over all files that hold some, in one order and on the session's clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.session.clocks import HostClock
from spetrace.session.event_columns import ColumnsBuilder, EventColumns, unsigned
from spetrace.session.event_run import Addresses, Integers
from spetrace.session.host_merge import Stretch
from spetrace.session.host_names import COLUMNS, GUEST_FAULT, MEMSLOT, MEMSLOT_FIELDS, USED
from spetrace.session.host_stretches import COMMON, HostStretches, pids_of
from spetrace.session.thread_facts import ThreadFacts
from spetrace.session.vcpu_tracks import VcpuTracks
from spetrace.spooled import let_go, room
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of


def is_host_trace(recording: Recording, more: Collection[str] = ()) -> bool:
    """Whether a recording holds any event that the session reads of a host: of USED, or `more`."""
    counts = frames_of(recording.tracepoints).counts
    return any(counts.get(name) for name in (*USED, *more))


@dataclass(frozen=True)
class HostEvents:
    """The events of one tracepoint, in order, as a frame."""

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
        return pids_of(self.frame)

    @property
    def tgid(self) -> npt.NDArray[np.int32]:
        """Process; -1 where unknown."""
        if "tgid" not in self.frame.columns:
            return np.full(len(self), -1, np.int32)
        return self.frame["tgid"].fill_null(-1).to_numpy()

    def unsigned(self, field: str) -> Addresses:
        """One of the tracepoint's own fields; 0 where it is null or the tracepoint lacks it."""
        return unsigned(self.frame, field).fill_null(0).to_numpy()

    def knows(self, field: str) -> npt.NDArray[np.bool_]:
        """Where the field has a value."""
        return unsigned(self.frame, field).is_not_null().to_numpy()

    def where(self, mask: npt.NDArray[np.bool_]) -> HostEvents:
        """The events that a mask selects."""
        return HostEvents(self.frame.filter(pl.Series(mask, dtype=pl.Boolean)))


_NONE: Final = HostEvents(pl.DataFrame(schema=COMMON))


class HostTrace:
    """All events that the session reads, of one or several host files.

    Several files are taken as recordings of one host: their events are put in order of time, those
    of one time in order of the files. Of the events there are most of (host_names.FOLLOWED) only
    what they lead to is kept: `tracks` and `threads`.
    """

    def __init__(
        self,
        recordings: Mapping[int, Recording],
        clocks: Mapping[int, HostClock],
        more: Collection[str] = (),
    ) -> None:
        self._more = set(more)
        self._recordings = recordings
        self._clocks = clocks
        self._stretches = HostStretches(recordings, clocks)
        counts = self._counts()
        self.tracks = VcpuTracks(counts)
        self.threads = ThreadFacts()
        builders = {n: ColumnsBuilder(counts.get(n, 0), fields) for n, fields in COLUMNS.items()}
        read = sum(counts.get(name, 0) for name in {*USED, *self._more})
        (self._source_by_order,) = room(read if len(recordings) > 1 else 0, np.uint16(0))
        self._frames = self._read(builders)
        self._columns = {name: builder.finish() for name, builder in builders.items()}

    def __getitem__(self, name: str) -> HostEvents:
        """The events of MEMSLOT, or of a tracepoint that was asked for; none where no file has it."""
        return self._frames.get(name, _NONE)

    def columns(self, name: str) -> EventColumns:
        """The events of a tracepoint in host_names.COLUMNS; of GUEST_FAULT those that tell a syndrome
        and an IPA, which are those of `tracks.faults`.
        """
        return self._columns[name]

    def has(self, name: str) -> bool:
        """Whether any file holds an event of the tracepoint, also of one that is not read."""
        return bool(self.sources_with(name))

    @property
    def sources(self) -> list[int]:
        """The inputs that hold the host's events."""
        return list(self._recordings)

    def sources_with(self, name: str) -> list[int]:
        """Those that hold events of a tracepoint."""
        inputs = self._recordings.items()
        return [s for s, r in inputs if frames_of(r.tracepoints).counts.get(name)]

    @property
    def recordings(self) -> list[Recording]:
        """The same, as read."""
        return list(self._recordings.values())

    def stretches(self, names: Collection[str]) -> Iterator[Stretch]:
        """The events of any tracepoints, with all their fields, a stretch of time after the other."""
        return self._stretches.of(names)

    def source_of(self, order: Integers) -> npt.NDArray[np.uint16]:
        """The input of each event that is held, by its place among all that are read."""
        if len(self._recordings) == 1:
            return np.broadcast_to(np.uint16(self.sources[0]), order.shape)
        return self._source_by_order[order]

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

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for recording in self._recordings.values():
            for name, count in frames_of(recording.tracepoints).counts.items():
                counts[name] = counts.get(name, 0) + count
        return counts

    def _read(self, builders: Mapping[str, ColumnsBuilder]) -> dict[str, HostEvents]:
        """Go over all events once; returns the frames that are held."""
        held: dict[str, list[pl.DataFrame]] = {}
        for stretch in self.stretches({*USED, *self._more}):
            for name, frame in stretch.items():
                if name == MEMSLOT or name in self._more:
                    held.setdefault(name, []).append(self._needed(name, frame))
            self._keep_sources(stretch)
            if GUEST_FAULT in stretch:
                stretch[GUEST_FAULT] = _telling(stretch[GUEST_FAULT])
            for name in builders.keys() & stretch.keys():
                builders[name].add(stretch[name])
            self.tracks.add(stretch)
            self.threads.add(stretch)
        return {
            name: HostEvents(pl.concat(parts, how="diagonal_relaxed", rechunk=True))
            for name, parts in held.items()
        }

    def _keep_sources(self, stretch: Stretch) -> None:
        if len(self._source_by_order):
            for frame in stretch.values():
                self._source_by_order[frame["order"].to_numpy()] = frame["source"].to_numpy()
            let_go(self._source_by_order)

    def _needed(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        if name in self._more:
            return frame
        return frame.select(*COMMON, *(f for f in MEMSLOT_FIELDS if f in frame.columns))


def _telling(faults: pl.DataFrame) -> pl.DataFrame:
    """The faults that tell their syndrome and IPA."""
    events = HostEvents(faults)
    return events.where(events.knows("hsr") & events.knows("ipa")).frame


def host_trace(
    recordings: Sequence[Recording],
    clocks: Mapping[int, HostClock],
    more: Collection[str] = (),
) -> HostTrace:
    """The host's events in `recordings`, whose clocks are given by input; `more` are read, too."""
    return HostTrace({i: r for i, r in enumerate(recordings) if i in clocks}, clocks, more)
