"""Where the fields of a sample stand, by its event's sample_type (include/uapi/linux/perf_event.h)."""

from __future__ import annotations

from typing import NamedTuple

from spetrace.ingest.perf_data.abi import RECORD_HEADER_BYTES, ReadFormat, SampleType
from spetrace.ingest.perf_data.attrs import EventAttr

NONE = -1
"""In a SampleLayout: the samples have no such field."""

_FIXED = (
    SampleType.IDENTIFIER,
    SampleType.IP,
    SampleType.TID,
    SampleType.TIME,
    SampleType.ADDR,
    SampleType.ID,
    SampleType.STREAM_ID,
    SampleType.CPU,
    SampleType.PERIOD,
)
_FIELD_BYTES = 8


class SampleLayout(NamedTuple):
    """Offsets from a sample record's start, up to RAW; what comes after it is not looked at."""

    tid: int
    time: int
    cpu: int
    fixed_end: int
    """Where the fields of 8 bytes each end, and READ, CALLCHAIN and RAW begin."""
    read_values: int
    """64-bit words of a READ, of a group's without its members; NONE: no READ."""
    member_words: int
    """64-bit words of each member of a group's READ; NONE: it is no group's."""
    callchain: int
    """1 where a CALLCHAIN comes before RAW, else 0."""


def sample_layout(attr: EventAttr) -> SampleLayout:
    """The layout of an event's samples."""
    sample_type = attr.sample_type
    fields = [field for field in _FIXED if sample_type & field]
    at = {field: RECORD_HEADER_BYTES + _FIELD_BYTES * n for n, field in enumerate(fields)}
    return SampleLayout(
        at.get(SampleType.TID, NONE),
        at.get(SampleType.TIME, NONE),
        at.get(SampleType.CPU, NONE),
        RECORD_HEADER_BYTES + _FIELD_BYTES * len(fields),
        *_read_words(attr.read_format if sample_type & SampleType.READ else None),
        int(bool(sample_type & SampleType.CALLCHAIN)),
    )


def _read_words(read_format: int | None) -> tuple[int, int]:
    """Words of a READ, and of each member of a group's (perf_output_read, kernel/events/core.c)."""
    if read_format is None:
        return NONE, NONE
    times = read_format & (ReadFormat.TOTAL_TIME_ENABLED | ReadFormat.TOTAL_TIME_RUNNING)
    member = 1 + (read_format & (ReadFormat.ID | ReadFormat.LOST)).bit_count()
    if read_format & ReadFormat.GROUP:
        return 1 + times.bit_count(), member
    return member + times.bit_count(), NONE
