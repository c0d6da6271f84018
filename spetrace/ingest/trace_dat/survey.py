"""What is in a file's pages, before any event is kept: how many events of each kind, when, what is lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.trace_dat.corrections import Corrections
from spetrace.ingest.trace_dat.pages import Pages, Stream
from spetrace.ingest.trace_dat.parallel import THREADS, in_order
from spetrace.ingest.trace_dat.ring_buffer import DAMAGED, LOST, LOST_UNKNOWN, Layout, walk_pages
from spetrace.quality import Quality

IDS = 1 << 16
_PIECE_BYTES = 4 << 20
_PIECES_HELD = 16
"""As many pieces per thread stay in memory once they are walked."""

Integers = npt.NDArray[np.int64]


class RecordLayout(NamedTuple):
    """What holds for the records of all CPUs; see Layout."""

    long_size: int
    big_endian: bool
    id_offset: int

    def of(self, stream: Stream) -> Layout:
        """With the stream's page size."""
        return Layout(stream.page_size, *self)


class PageTimes(NamedTuple):
    """The pages of one stream: arrays with one item per page."""

    events: Integers
    """How many wanted events it holds."""
    first: Integers
    """Corrected time of the earliest; of the page before where it holds none."""
    last: Integers
    """Corrected time of the latest; as above."""


class Survey(NamedTuple):
    """Pages by stream, and all events by id, wanted or not."""

    pages: list[PageTimes]
    id_counts: Integers
    counters: Integers

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and the last wanted event."""
        held = [page for page in self.pages if page.events.any()]
        if not held:
            return None
        first = min(int(page.first[page.events > 0].min()) for page in held)
        return first, max(int(page.last[page.events > 0].max()) for page in held)

    def count_losses(
        self, quality: Quality, wanted: Collection[int], damaged: Mapping[int, InputError]
    ) -> None:
        """Count what was lost, damaged and unknown; `damaged` says why formats can't be read."""
        quality.add("trace_lost_events", int(self.counters[LOST]))
        quality.add("trace_lost_unknown", int(self.counters[LOST_UNKNOWN]))
        quality.add("trace_damaged_pages", int(self.counters[DAMAGED]))
        for id_, error in damaged.items():
            quality.add("trace_unknown_events", int(self.id_counts[id_]), str(error))
        found = np.flatnonzero(self.id_counts).tolist()
        unknown = [id_ for id_ in found if id_ not in wanted and id_ not in damaged]
        count = int(self.id_counts[unknown].sum())
        quality.add("trace_unknown_events", count, f"ids {unknown[:20]}")


def slots_of(wanted: Collection[int]) -> npt.NDArray[np.int32]:
    """By id its place among the `wanted` ones in ascending order; -1 for others."""
    slots = np.full(IDS, -1, np.int32)
    slots[sorted(wanted)] = np.arange(len(wanted))
    return slots


def survey_pages(
    pages: Pages, layout: RecordLayout, corrections: Corrections, wanted: Collection[int]
) -> Survey:
    """Walk all pages once, pieces of them in parallel."""
    slots = slots_of(wanted)
    tables = [np.zeros((3, page_count(s)), np.uint64) for s in pages.streams]

    def walk(pieces: list[tuple[int, int, int]]) -> tuple[Integers, Integers]:
        counters, id_counts = np.zeros(3, np.int64), np.zeros(IDS, np.int64)
        for done, (number, first, last) in enumerate(pieces):
            if done and done % _PIECES_HELD == 0:
                let_go(pages.data)
            stream, table = pages.streams[number], tables[number]
            start, end = page_range(stream, first, last)
            tallies = (counters, id_counts, *table[:, first:last])
            walk_pages(pages.data, start, end, layout.of(stream), slots, None, tallies)
        return counters, id_counts

    pieces = [p for n, s in enumerate(pages.streams) for p in _pieces(n, s)]
    found = list(in_order(walk, [pieces[i::THREADS] for i in range(THREADS)]))
    by_stream = [
        _page_times(table, corrections, stream.cpu)
        for table, stream in zip(tables, pages.streams, strict=True)
    ]
    return Survey(by_stream, sum(f[1] for f in found), sum(f[0] for f in found))  # type: ignore[arg-type]


def page_count(stream: Stream) -> int:
    """How many pages a stream has, the last maybe cut."""
    return -(-(stream.end - stream.start) // stream.page_size)


def page_range(stream: Stream, first: int, last: int) -> tuple[int, int]:
    """The bytes of the pages `first` to `last` of a stream."""
    start = stream.start + first * stream.page_size
    return start, min(stream.start + last * stream.page_size, stream.end)


def _pieces(number: int, stream: Stream) -> Iterator[tuple[int, int, int]]:
    count, step = page_count(stream), max(_PIECE_BYTES // stream.page_size, 1)
    for first in range(0, count, step):
        yield number, first, min(first + step, count)


def _page_times(table: npt.NDArray[np.uint64], corrections: Corrections, cpu: int) -> PageTimes:
    events = table[0].view(np.int64)
    before = np.maximum.accumulate(np.where(events > 0, np.arange(len(events)), 0))
    first, last = (corrections.apply(table[row], cpu)[before] for row in (1, 2))
    return PageTimes(events, first, last)
