"""What describes tracepoint records: header page, event formats, command lines.

The same blocks follow each other in a trace.dat of version 6 and in perf's TRACING_DATA, and stand in
sections of their own in a trace.dat of version 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.event_format import parse_event_id, parse_fields

_IDS = 1 << 16
_MAX_FORMAT_BYTES = 16 << 20
_CMDLINE = re.compile(r"^[ \t]*(\d{1,7}) (.+)$", re.MULTILINE)


class FormatText(NamedTuple):
    """One event's format file, unparsed."""

    system: str
    text: str


@dataclass
class Metadata:
    """What a file says about its records."""

    long_size: int
    """Of the kernel: the width of a page's commit field."""
    formats: dict[int, FormatText] = field(default_factory=dict)
    """By event id."""
    comms: dict[int, str] = field(default_factory=dict)
    """Command names by pid, as saved at the end of the recording."""

    def add_formats(self, formats: Iterable[FormatText]) -> None:
        """Take in formats; one without an id is left out, the first of an id stays."""
        for format_ in formats:
            try:
                id_ = parse_event_id(format_.text)
            except InputError:
                continue
            if id_ < _IDS:
                self.formats.setdefault(id_, format_)


def read_header_info(cursor: Cursor, metadata: Metadata) -> None:
    """Read the header_page and header_event block.

    Raises InputError where the texts describe a ring buffer that is not read.
    """
    page = _read_named_text(cursor, "header_page")
    event = _read_named_text(cursor, "header_event")
    if event.strip() and "type_len" not in event:
        raise cursor.error("the ring buffer is of a kernel before 2.6.30")
    sizes = {f.name: f.size for f in parse_fields(page)}
    if sizes.get("timestamp", 8) != 8:
        raise cursor.error("the page header's timestamp is not 8 bytes wide")
    if sizes.get("commit") in (4, 8):
        metadata.long_size = sizes["commit"]


def iter_ftrace_formats(cursor: Cursor) -> Iterator[FormatText]:
    """Read the formats of ftrace's own events."""
    return _iter_formats(cursor, "ftrace")


def iter_event_formats(cursor: Cursor) -> Iterator[FormatText]:
    """Read the formats of all systems."""
    for _ in range(cursor.u32()):
        yield from _iter_formats(cursor, cursor.c_string())


def read_cmdlines(cursor: Cursor) -> dict[int, str]:
    """Read the saved command lines: `pid comm` by line."""
    text = bytes(cursor.take(cursor.u64())).decode("utf-8", "replace")
    return {int(line[1]): line[2] for line in _CMDLINE.finditer(text)}


def read_metadata(cursor: Cursor, long_size: int) -> Metadata:
    """Read all blocks as they follow each other in version 6."""
    metadata = Metadata(long_size)
    read_header_info(cursor, metadata)
    metadata.add_formats(iter_ftrace_formats(cursor))
    metadata.add_formats(iter_event_formats(cursor))
    cursor.take(cursor.u32())  # kallsyms
    cursor.take(cursor.u32())  # trace_printk formats
    metadata.comms.update(read_cmdlines(cursor))
    return metadata


def _read_named_text(cursor: Cursor, name: str) -> str:
    found = cursor.c_string(64)
    if found != name:
        raise cursor.error(f"{name} is missing, found {found[:32]!r}")
    return bytes(cursor.take(cursor.u64())).decode("utf-8", "replace")


def _iter_formats(cursor: Cursor, system: str) -> Iterator[FormatText]:
    for _ in range(cursor.u32()):
        size = cursor.u64()
        if size > _MAX_FORMAT_BYTES:
            raise cursor.error(f"an event format of {size} bytes is none")
        yield FormatText(system, bytes(cursor.take(size)).decode("utf-8", "replace"))
