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
BLOCKS = 1 << 18
"""Of a file with more pages, some pages together are one block: so many are held for any file."""
_PIECE_BYTES = 4 << 20
_PIECES_HELD = 4
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


class BlockTimes(NamedTuple):
    """The pages of one stream: arrays with one item per block of pages."""

    events: Integers
    """How many wanted events it holds."""
    first: Integers
    """Corrected time of the earliest; of the block before where it holds none."""
    last: Integers
    """Corrected time of the latest; as above."""


class Survey(NamedTuple):
    """Blocks by stream, and all events by id, wanted or not."""

    blocks: list[BlockTimes]
    block_pages: int
    """How many pages a block has; a stream's last may have fewer."""
    id_counts: Integers
    counters: Integers

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and the last wanted event."""
        held = [blocks for blocks in self.blocks if blocks.events.any()]
        if not held:
            return None
        first = min(int(blocks.first[blocks.events > 0].min()) for blocks in held)
        return first, max(int(blocks.last[blocks.events > 0].max()) for blocks in held)

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
    block_pages = max(sum(block_count(s, 1) for s in pages.streams) // BLOCKS, 1)
    tables = [np.zeros((3, block_count(s, block_pages)), np.uint64) for s in pages.streams]

    def walk(pieces: list[tuple[int, int, int]]) -> tuple[Integers, Integers]:
        """Counters of some pieces of the pages; their blocks' times go into `tables`."""
        counters, id_counts = np.zeros(3, np.int64), np.zeros(IDS, np.int64)
        for done, (number, first, last) in enumerate(pieces):
            if done and done % _PIECES_HELD == 0:
                let_go(pages.data)
            stream, table = pages.streams[number], tables[number]
            start, end = block_range(stream, first, last, block_pages)
            tallies = (counters, id_counts, *table[:, first:last], block_pages)
            walk_pages(pages.data, start, end, layout.of(stream), slots, None, tallies)
        return counters, id_counts

    pieces = [p for n, s in enumerate(pages.streams) for p in _pieces(n, s, block_pages)]
    found = list(in_order(walk, [pieces[i::THREADS] for i in range(THREADS)]))
    by_stream = [
        _block_times(table, corrections, stream.cpu)
        for table, stream in zip(tables, pages.streams, strict=True)
    ]
    counters, id_counts = (sum(both) for both in zip(*found, strict=True))
    return Survey(by_stream, block_pages, id_counts, counters)


def block_count(stream: Stream, block_pages: int) -> int:
    """How many blocks of so many pages a stream has, the last maybe cut."""
    return -(-(stream.end - stream.start) // (stream.page_size * block_pages))


def block_range(stream: Stream, first: int, last: int, block_pages: int) -> tuple[int, int]:
    """The bytes of the blocks `first` to `last` of a stream."""
    size = stream.page_size * block_pages
    return stream.start + first * size, min(stream.start + last * size, stream.end)


def _pieces(number: int, stream: Stream, block_pages: int) -> Iterator[tuple[int, int, int]]:
    count = block_count(stream, block_pages)
    step = max(_PIECE_BYTES // (stream.page_size * block_pages), 1)
    for first in range(0, count, step):
        yield number, first, min(first + step, count)


def _block_times(table: npt.NDArray[np.uint64], corrections: Corrections, cpu: int) -> BlockTimes:
    events = table[0].view(np.int64)
    before = np.maximum.accumulate(np.where(events > 0, np.arange(len(events)), 0))
    first, last = (corrections.apply(table[row], cpu)[before] for row in (1, 2))
    return BlockTimes(events, first, last)
