"""All events of a file in time order, by event: an index of chosen ones, or batch after batch.

How it works: a survey has counted the events of every block of pages. A batch takes the next blocks of
every CPU up to one time, walks them (pieces in parallel, each into its own place of the arrays) and merges
them until a CPU that has more pages runs out; what is left over comes first in the next batch. So a
pass over a file of any size holds one batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.mapped_bytes import let_go, trim_heap
from spetrace.ingest.trace_dat.batch_plan import plan_batches
from spetrace.ingest.trace_dat.corrections import Corrections
from spetrace.ingest.trace_dat.merge import count_slots, merge_groups
from spetrace.ingest.trace_dat.pages import Pages
from spetrace.ingest.trace_dat.parallel import in_order
from spetrace.ingest.trace_dat.ring_buffer import walk_pages
from spetrace.ingest.trace_dat.survey import (
    Integers,
    RecordLayout,
    Survey,
    block_range,
    slots_of,
)

BATCH_EVENTS = 3 << 19
"""A batch has about so many."""
_PIECE_PAGES = 512
_TRIM_BATCHES = 4
"""After so many the heap's holes are given back."""


class Group(NamedTuple):
    """The events of one id in time order: arrays of one length."""

    places: npt.NDArray[np.uint64]
    """In the order over all groups."""
    times: Integers
    streams: npt.NDArray[np.int32]
    offsets: Integers
    """Of the record in the pages' array."""
    lengths: npt.NDArray[np.uint32]

    def rows(self, start: int, end: int) -> Group:
        """A part of it."""
        return Group._make(column[start:end] for column in self)


class _Walked(NamedTuple):
    """Events as recorded: arrays of one length."""

    times: Integers
    offsets: Integers
    lengths: npt.NDArray[np.uint32]
    slots: npt.NDArray[np.uint16]

    def copy(self, start: int, end: int) -> _Walked:
        """A copy of a part of them."""
        return _Walked(
            self.times[start:end].copy(),
            self.offsets[start:end].copy(),
            self.lengths[start:end].copy(),
            self.slots[start:end].copy(),
        )


class _Pending(NamedTuple):
    """The events of a batch, stream after stream; see `merge_groups`."""

    position: Integers
    ends: Integers
    more: npt.NDArray[np.bool_]
    events: _Walked


class EventStream:
    """The events of the ids `wanted` (all of which the survey was asked for) in pages."""

    def __init__(
        self,
        pages: Pages,
        layout: RecordLayout,
        corrections: Corrections,
        wanted: Collection[int],
        survey: Survey,
    ) -> None:
        self.pages = pages
        self.survey = survey
        self.ids = [int(i) for i in np.flatnonzero(survey.id_counts) if i in wanted]
        self.counts = {id_: int(survey.id_counts[id_]) for id_ in self.ids}
        self._layout = layout
        self._corrections = corrections
        self._slots = slots_of(self.ids)
        self._plan = plan_batches(survey.blocks, BATCH_EVENTS)

    def index(self, ids: Collection[int]) -> dict[int, Group]:
        """All events of `ids`, by one pass."""
        counts = np.array([self.counts[i] if i in ids else 0 for i in self.ids], np.int64)
        starts, cursors, out = _regions(counts)
        place = 0
        for batch in self._pending():
            place = _merge(batch, place, cursors, out)
        return self._groups(starts, cursors, out)

    def batches(self, ids: Collection[int]) -> Iterator[dict[int, Group]]:
        """The events of `ids`, a stretch of time after the other: per id those that it holds."""
        wanted = np.array([id_ in ids for id_ in self.ids], np.bool_)
        place = 0
        for batch in self._pending():
            counts = np.zeros(len(self.ids), np.int64)
            count_slots(batch.events.slots, counts)
            counts[~wanted] = 0
            starts, cursors, out = _regions(counts)
            place = _merge(batch, place, cursors, out)
            yield self._groups(starts, cursors, out)

    def let_go(self) -> None:
        """Give memory back that holds the pages' bytes, where these are in a file."""
        let_go(self.pages.data)

    def _groups(self, starts: Integers, ends: Integers, out: Group) -> dict[int, Group]:
        bounds = zip(self.ids, starts.tolist(), ends.tolist(), strict=True)
        return {id_: out.rows(start, end) for id_, start, end in bounds if end > start}

    def _pending(self) -> Iterator[_Pending]:
        streams = len(self.pages.streams)
        left = [_empty(0)] * streams
        first = np.zeros(streams, np.int64)
        for number, last in enumerate(self._plan):
            batch = self._walk(left, first, last, number + 1 == len(self._plan))
            yield batch
            left = [
                batch.events.copy(start, end)
                for start, end in zip(batch.position, batch.ends, strict=True)
            ]
            first = last
            if len(self._plan) > 1:
                self.let_go()
            if number % _TRIM_BATCHES == _TRIM_BATCHES - 1:
                trim_heap()

    def _walk(
        self, left: list[_Walked], first: Integers, last: Integers, is_last: bool
    ) -> _Pending:
        """The events left over and those of the blocks `first` to `last` of every stream."""
        surveys = self.survey.blocks
        ranges = list(zip(first.tolist(), last.tolist(), strict=True))
        new = [int(s.events[a:b].sum()) for s, (a, b) in zip(surveys, ranges, strict=True)]
        ends = np.cumsum([len(old.times) + n for old, n in zip(left, new, strict=True)])
        position = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        arrays = _empty(int(ends[-1]) if len(ends) else 0)
        tasks = []
        for stream, (a, b) in enumerate(ranges):
            at = int(position[stream])
            at = _put(arrays, at, left[stream])
            tasks += list(self._pieces(stream, a, b, at))
        deque(in_order(lambda task: self._walk_piece(arrays, *task), tasks), maxlen=0)
        more = np.zeros(len(ends), np.bool_)
        if not is_last:
            more[:] = [b < len(s.events) for s, b in zip(surveys, last.tolist(), strict=True)]
        return _Pending(position, ends, more, arrays)

    def _pieces(
        self, stream: int, first: int, last: int, at: int
    ) -> Iterator[tuple[int, int, int, int]]:
        """Blocks `first` to `last` of a stream in pieces: stream, blocks, place of the first event."""
        counts = self.survey.blocks[stream].events
        step = max(_PIECE_PAGES // self.survey.block_pages, 1)
        for start in range(first, last, step):
            end = min(start + step, last)
            yield stream, start, end, at
            at += int(counts[start:end].sum())

    def _walk_piece(self, arrays: _Walked, stream: int, first: int, last: int, at: int) -> None:
        where = self.pages.streams[stream]
        count = int(self.survey.blocks[stream].events[first:last].sum())
        times = np.empty(count, np.uint64)
        end = at + count
        out = (times, arrays.offsets[at:end], arrays.lengths[at:end], arrays.slots[at:end])
        layout = self._layout.of(where)
        bounds = block_range(where, first, last, self.survey.block_pages)
        walk_pages(self.pages.data, *bounds, layout, self._slots, out, None)
        arrays.times[at:end] = self._corrections.apply(times, where.cpu)


def _merge(batch: _Pending, place: int, cursors: Integers, out: Group) -> int:
    # Plain tuples: what numba caches would else need this module's classes to be where they are.
    events, arrays = tuple(batch.events), tuple(out)
    end: int = merge_groups(batch.position, batch.ends, batch.more, events, place, cursors, arrays)
    return end


def _empty(count: int) -> _Walked:
    return _Walked(
        np.empty(count, np.int64),
        np.empty(count, np.int64),
        np.empty(count, np.uint32),
        np.empty(count, np.uint16),
    )


def _put(arrays: _Walked, at: int, events: _Walked) -> int:
    """Copy events to a place of the arrays; returns where they end."""
    end = at + len(events.times)
    arrays.times[at:end] = events.times
    arrays.offsets[at:end] = events.offsets
    arrays.lengths[at:end] = events.lengths
    arrays.slots[at:end] = events.slots
    return end


def _regions(counts: Integers) -> tuple[Integers, Integers, Group]:
    """Where each group's events begin in arrays for that many of each; the same, but -1 for a group
    without any; the arrays.
    """
    ends = np.cumsum(counts)
    starts = ends - counts
    total = int(ends[-1]) if len(ends) else 0
    out = Group(
        np.empty(total, np.uint64),
        np.empty(total, np.int64),
        np.empty(total, np.int32),
        np.empty(total, np.int64),
        np.empty(total, np.uint32),
    )
    return starts, np.where(counts > 0, starts, -1), out


NO_EVENTS = _regions(np.zeros(0, np.int64))[2]
