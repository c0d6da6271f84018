"""Whose a record is: the event id of samples, and the sample_id trailer of all other records."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.perf_data.abi import RECORD_HEADER_BYTES, AttrFlag, SampleType
from spetrace.ingest.perf_data.events import EventRows, EventTable
from spetrace.ingest.perf_data.framing import Block, Rows

_TRAILER = (
    SampleType.TID,
    SampleType.TIME,
    SampleType.ID,
    SampleType.STREAM_ID,
    SampleType.CPU,
    SampleType.IDENTIFIER,
)
_BEFORE_ID = SampleType.IP | SampleType.TID | SampleType.TIME | SampleType.ADDR
_FIELD_BYTES = 8

Values = npt.NDArray[np.int64]


class SampleIds(NamedTuple):
    """The trailers of some records, one array element each; -1 where a field is absent."""

    event: EventRows
    id: Values
    pid: Values
    tid: Values
    time_ns: Values
    cpu: Values


def parse_sample_ids(block: Block, rows: Rows, body_bytes: int, events: EventTable) -> SampleIds:
    """The sample_id trailers of `rows`, whose own fields take `body_bytes` after the header.

    A trailer that does not fit between those and the record's end is absent.
    """
    ids = _trailing_ids(block, rows, body_bytes, events)
    owners = _owners(ids, events)
    fields = SampleIds(owners, ids, *(np.full(len(rows), -1, np.int64) for _ in range(4)))
    for owner in np.unique(owners):
        sample_type = _trailer_type(int(owner), events)
        long_enough = block.sizes[rows] >= RECORD_HEADER_BYTES + body_bytes + _size(sample_type)
        chosen = np.flatnonzero((owners == owner) & long_enough)
        _fill(fields, chosen, block, rows[chosen], sample_type)
    return fields


def sample_events(block: Block, rows: Rows, events: EventTable) -> EventRows:
    """The event of each SAMPLE record in `rows`; -1 where nothing tells."""
    at = _sample_id_offset(events)
    if at is None:
        return np.full(len(rows), 0 if len(events.events) == 1 else -1, np.int32)
    long_enough = block.sizes[rows] >= at + _FIELD_BYTES
    found = np.full(len(rows), -1, np.int32)
    found[long_enough] = events.find(block.u64(rows[long_enough], at))
    return found


def _sample_id_offset(events: EventTable) -> int | None:
    if events.has_identifier:
        return RECORD_HEADER_BYTES
    common = events.common_sample_type
    if common is None or not common & SampleType.ID:
        return None
    return RECORD_HEADER_BYTES + _FIELD_BYTES * (common & _BEFORE_ID).bit_count()


def _trailing_ids(block: Block, rows: Rows, body_bytes: int, events: EventTable) -> Values:
    """The event ids in the trailers; -1 where there is none."""
    common = events.common_sample_type
    field = SampleType.IDENTIFIER if events.has_identifier else SampleType.ID
    ids = np.full(len(rows), -1, np.int64)
    if events.has_identifier or (common is not None and common & SampleType.ID):
        back = _FIELD_BYTES if events.has_identifier else _from_end(common or 0, field)
        fits = np.flatnonzero(block.sizes[rows] >= RECORD_HEADER_BYTES + body_bytes + back)
        at = block.sizes[rows[fits]] - back
        ids[fits] = block.u64(rows[fits], at).astype(np.int64)
    return ids


def _owners(ids: Values, events: EventTable) -> EventRows:
    owners = events.find(ids.astype(np.uint64))
    return np.zeros_like(owners) if len(events.events) == 1 else owners


def _trailer_type(owner: int, events: EventTable) -> int:
    """The sample_type of the trailer of event `owner`'s records; 0: they have none."""
    if owner < 0:
        everywhere = all(e.attr.flags & AttrFlag.SAMPLE_ID_ALL for e in events.events)
        return (events.common_sample_type or 0) if everywhere else 0
    attr = events.events[owner].attr
    return attr.sample_type if attr.flags & AttrFlag.SAMPLE_ID_ALL else 0


def _fill(fields: SampleIds, into: Rows, block: Block, rows: Rows, sample_type: int) -> None:
    ends = block.sizes[rows]
    if sample_type & SampleType.TID:
        at = ends - _from_end(sample_type, SampleType.TID)
        fields.pid[into] = block.u32(rows, at).view(np.int32)
        fields.tid[into] = block.u32(rows, at + 4).view(np.int32)
    if sample_type & SampleType.TIME:
        at = ends - _from_end(sample_type, SampleType.TIME)
        fields.time_ns[into] = np.maximum(block.u64(rows, at).view(np.int64), -1)
    if sample_type & SampleType.CPU:
        at = ends - _from_end(sample_type, SampleType.CPU)
        fields.cpu[into] = block.u32(rows, at).view(np.int32)


def _size(sample_type: int) -> int:
    return _FIELD_BYTES * sum(bool(sample_type & field) for field in _TRAILER)


def _from_end(sample_type: int, field: SampleType) -> int:
    """How far before the record's end `field` of the trailer begins."""
    last = _TRAILER[_TRAILER.index(field) :]
    return _FIELD_BYTES * sum(bool(sample_type & f) for f in last)
