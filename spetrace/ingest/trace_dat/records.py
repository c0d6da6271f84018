"""All events of a file: walked, merged in time order, and grouped by event id."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.trace_dat.corrections import Corrections
from spetrace.ingest.trace_dat.merge import merge_groups
from spetrace.ingest.trace_dat.pages import Pages, Stream
from spetrace.ingest.trace_dat.ring_buffer import DAMAGED, LOST, LOST_UNKNOWN, Layout, walk_pages
from spetrace.quality import Quality

_IDS = 1 << 16
_MIN_EVENT_BYTES = 8


class Group(NamedTuple):
    """The events of one id in time order: arrays of one length."""

    places: npt.NDArray[np.uint64]
    """In the order over all groups."""
    times: npt.NDArray[np.int64]
    streams: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    """Of the record in the pages' array."""
    lengths: npt.NDArray[np.uint32]


class _Walk(NamedTuple):
    """The events of one CPU as recorded: arrays of one length."""

    times: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.uint32]
    ids: npt.NDArray[np.uint16]


class RecordLayout(NamedTuple):
    """What holds for the records of all CPUs; see Layout."""

    long_size: int
    big_endian: bool
    id_offset: int


def read_groups(
    pages: Pages,
    layout: RecordLayout,
    corrections: Corrections,
    known: set[int],
    quality: Quality,
) -> dict[int, Group]:
    """The events of every id of `known`; others are counted in `quality`, as is what was lost."""
    counters = np.zeros(3, np.int64)
    id_counts = np.zeros(_IDS, np.int64)
    walks = [
        _walk(pages.data, stream, layout, corrections, counters, id_counts)
        for stream in pages.streams
    ]
    quality.add("trace_lost_events", int(counters[LOST]))
    quality.add("trace_lost_unknown", int(counters[LOST_UNKNOWN]))
    quality.add("trace_damaged_pages", int(counters[DAMAGED]))
    groups = _merged(walks, id_counts, known) if walks else {}
    unknown = {int(i): int(id_counts[i]) for i in np.flatnonzero(id_counts) if i not in groups}
    quality.add("trace_unknown_events", sum(unknown.values()), f"ids {sorted(unknown)[:20]}")
    return groups


def _walk(
    data: npt.NDArray[np.uint8],
    stream: Stream,
    layout: RecordLayout,
    corrections: Corrections,
    counters: npt.NDArray[np.int64],
    id_counts: npt.NDArray[np.int64],
) -> _Walk:
    room = (stream.end - stream.start) // _MIN_EVENT_BYTES
    times = np.empty(room, np.uint64)
    offsets = np.empty(room, np.int64)
    lengths = np.empty(room, np.uint32)
    ids = np.empty(room, np.uint16)
    page_layout = Layout(stream.page_size, layout.long_size, layout.big_endian, layout.id_offset)
    out = (times, offsets, lengths, ids)
    count = walk_pages(data, stream.start, stream.end, page_layout, out, counters, id_counts)
    corrected = corrections.apply(times[:count], stream.cpu)
    return _Walk(corrected, offsets[:count], lengths[:count], ids[:count])


def _merged(
    walks: list[_Walk], id_counts: npt.NDArray[np.int64], known: set[int]
) -> dict[int, Group]:
    bounds = np.concatenate([[0], np.cumsum([len(walk.times) for walk in walks])])
    ids = [int(i) for i in np.flatnonzero(id_counts) if i in known]
    slots = np.full(_IDS, -1, np.int32)
    slots[ids] = np.arange(len(ids))
    ends = np.cumsum(id_counts[ids])
    starts = ends - id_counts[ids]
    total = int(ends[-1]) if ids else 0
    out = Group(
        np.empty(total, np.uint64),
        np.empty(total, np.int64),
        np.empty(total, np.int32),
        np.empty(total, np.int64),
        np.empty(total, np.uint32),
    )
    merge_groups(bounds, _joined(walks), slots, starts.copy(), out)
    return {
        id_: Group(
            out.places[start:end],
            out.times[start:end],
            out.streams[start:end],
            out.offsets[start:end],
            out.lengths[start:end],
        )
        for id_, start, end in zip(ids, starts.tolist(), ends.tolist(), strict=True)
    }


def _joined(walks: list[_Walk]) -> _Walk:
    if len(walks) == 1:
        return walks[0]
    return _Walk(
        np.concatenate([walk.times for walk in walks]),
        np.concatenate([walk.offsets for walk in walks]),
        np.concatenate([walk.lengths for walk in walks]),
        np.concatenate([walk.ids for walk in walks]),
    )
