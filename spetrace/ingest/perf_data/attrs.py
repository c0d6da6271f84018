"""`perf_event_attr`: how an event was set up, and the attrs section that lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.perf_data.abi import AttrFlag
from spetrace.ingest.perf_data.header import Header
from spetrace.quality import Quality

Ids = npt.NDArray[np.uint64]

_FIRST_ATTR_BYTES = 64
_FLAGS_AT = 40
_CLOCKID_AT = 92
_NO_IDS: Ids = np.empty(0, np.uint64)
_BIT_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class EventAttr:
    """The fields of one `perf_event_attr` that matter here (include/uapi/linux/perf_event.h)."""

    type: int
    config: int
    sample_type: int
    read_format: int
    flags: AttrFlag
    clockid: int | None
    """The clock of the sample times where `use_clockid` is set; None: perf's own clock."""


def parse_attr(data: memoryview, order: str) -> EventAttr:
    """Parse an attr of any size: what it lacks is 0, what it has more is ignored.

    Raises InputError where it ends before the flags (the first version has 64 bytes).
    """
    cursor = Cursor(data, "perf_event_attr", order=order)
    type_, size, config, _, sample_type, read_format = cursor.unpack("IIQQQQ")
    cursor.offset = _FLAGS_AT
    flags = AttrFlag(_flag_bits(bytes(cursor.take(8)), order))
    clockid = None
    if flags & AttrFlag.USE_CLOCKID and min(size, len(data)) >= _CLOCKID_AT + 4:
        cursor.offset = _CLOCKID_AT
        (clockid,) = cursor.unpack("i")
    return EventAttr(type_, config, sample_type, read_format, flags, clockid)


def iter_attrs(
    data: memoryview, header: Header, quality: Quality
) -> Iterator[tuple[EventAttr, Ids]]:
    """The attrs section's events with their ids; what the file lacks of it is counted.

    All ids together are taken only as far as they could fit in the file side by side.
    """
    if not header.attrs.size:
        return
    start, end = header.attrs.offset, min(header.attrs.end, len(data))
    quality.add("file_truncated_bytes", header.attrs.end - max(end, start), "attributes")
    budget = len(data)
    for at in range(start, end - header.attr_bytes + 1, header.attr_bytes):
        entry = Cursor(data, "attribute entry", at, at + header.attr_bytes, header.order)
        attr = parse_attr(entry.take(header.attr_bytes - 16), header.order)
        offset, size = entry.unpack("QQ")
        ids = _ids(data, offset, size, header.order) if size <= budget else None
        if ids is None:
            quality.add("perf_damaged_records", 1, f"byte {at}: event ids outside the file")
        budget -= 0 if ids is None else size
        yield attr, _NO_IDS if ids is None else ids


def parse_ids(data: memoryview, order: str) -> Ids:
    """Event ids, one u64 each; a cut one at the end is left out."""
    return np.frombuffer(data[: len(data) & ~7], f"{order}u8").astype(np.uint64)


def attr_bytes_in_record(data: memoryview, order: str) -> int:
    """The size of the attr that a HEADER_ATTR record's body `data` begins with.

    Raises InputError where it is not inside the body.
    """
    cursor = Cursor(data, "HEADER_ATTR", order=order)
    _, size = cursor.unpack("II")
    size = size or _FIRST_ATTR_BYTES
    if not _FIRST_ATTR_BYTES <= size <= len(data):
        raise InputError("HEADER_ATTR", f"an attr of {size} bytes in a body of {len(data)}")
    return size


def _ids(data: memoryview, offset: int, size: int, order: str) -> Ids | None:
    if offset + size > len(data):
        return None
    return parse_ids(data[offset : offset + size], order)


def _flag_bits(flags: bytes, order: str) -> int:
    """The bit field as a number whose bit 0 is `disabled`.

    A big-endian writer's compiler lays bit fields out from the top of each byte.
    """
    return int.from_bytes(flags if order == "<" else flags.translate(_BIT_REVERSED), "little")
