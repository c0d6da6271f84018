"""Single records of the perf tool: TIME_CONV, ID_INDEX, HEADER_ATTR, EVENT_UPDATE, HEADER_FEATURE."""

from __future__ import annotations

import numpy as np

from spetrace.ingest.cursor import Cursor
from spetrace.ingest.perf_data.attrs import attr_bytes_in_record, parse_attr, parse_ids
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.features import Features
from spetrace.tables.recording import TimeConversion

_WITH_SHORT_FIELDS_BYTES = 48
_LARGEST_SHIFT = 63
_UPDATE_NAME = 2
_ID_ENTRY_WORDS = 4


def parse_time_conversion(body: memoryview, order: str) -> TimeConversion:
    """PERF_RECORD_TIME_CONV, with or without the fields for short counters.

    Raises InputError where it is cut or its shift is no shift of a 64-bit number.
    """
    cursor = Cursor(body, "TIME_CONV", order=order)
    shift, multiplier, zero = cursor.unpack("QQQ")
    if shift > _LARGEST_SHIFT:
        raise cursor.error(f"time_shift {shift}")
    if len(body) < _WITH_SHORT_FIELDS_BYTES:
        return TimeConversion(shift, multiplier, zero)
    cycles, mask, _, short = cursor.unpack("QQBB")
    return TimeConversion(shift, multiplier, zero, cycles, mask, bool(short))


def parse_id_index(body: memoryview, order: str) -> dict[int, int]:
    """PERF_RECORD_ID_INDEX: the mmap index (as in AUXTRACE) of each event id."""
    cursor = Cursor(body, "ID_INDEX", order=order)
    count = min(cursor.u64(), cursor.left // (8 * _ID_ENTRY_WORDS))
    entries = np.frombuffer(cursor.take(8 * _ID_ENTRY_WORDS * count), f"{order}u8")
    ids = entries[0::_ID_ENTRY_WORDS].tolist()
    indices = entries[1::_ID_ENTRY_WORDS].astype(np.int64).tolist()
    return dict(zip(ids, indices, strict=True))


def add_header_attr(body: memoryview, order: str, events: EventTable) -> None:
    """PERF_RECORD_HEADER_ATTR: an attr of a pipe-mode file, then its event's ids."""
    size = attr_bytes_in_record(body, order)
    events.add(parse_attr(body[:size], order), parse_ids(body[size:], order))


def add_event_update(body: memoryview, order: str, events: EventTable) -> None:
    """PERF_RECORD_EVENT_UPDATE: of its kinds only the name of an event is taken."""
    cursor = Cursor(body, "EVENT_UPDATE", order=order)
    kind, id_ = cursor.unpack("QQ")
    if kind == _UPDATE_NAME:
        events.name(
            id_, bytes(cursor.take(cursor.left)).split(b"\0", 1)[0].decode("utf-8", "replace")
        )


def add_header_feature(body: memoryview, order: str, features: Features) -> None:
    """PERF_RECORD_HEADER_FEATURE: a feature section of a pipe-mode file."""
    cursor = Cursor(body, "HEADER_FEATURE", order=order)
    feature = cursor.u64()
    features.parse(feature, cursor)
