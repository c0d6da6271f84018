"""Sections of a version 7 file: header, and content decompressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat.compression import Decompressor

_COMPRESSED = 1
_HEADER_BYTES = 16
_MAX_SECTIONS = 1 << 16

OPTIONS = 0
BUFFER = 3
HEADER_INFO = 16
FTRACE_FORMATS = 17
EVENT_FORMATS = 18
CMDLINES = 21
BUFFER_TEXT = 22


class Section(NamedTuple):
    """A section's header; `offset` is that of its content, `size` the content's bytes in the file."""

    id: int
    compressed: bool
    offset: int
    size: int


def read_section(data: memoryview, order: str, offset: int) -> Section:
    """Read the section header at `offset`; raises InputError past the end."""
    cursor = Cursor(data, "trace.dat section header", offset, order=order)
    id_, flags, _description, size = cursor.unpack("HHiQ")
    return Section(id_, bool(flags & _COMPRESSED), cursor.offset, size)


def iter_sections(data: memoryview, order: str, offset: int) -> Iterator[Section]:
    """All section headers from `offset` on, as far as they are in the file."""
    for _ in range(_MAX_SECTIONS):
        if offset + _HEADER_BYTES > len(data):
            return
        section = read_section(data, order, offset)
        yield section
        offset = section.offset + section.size


def open_section(
    data: memoryview, order: str, section: Section, decompressor: Decompressor
) -> Cursor:
    """A cursor over a section's content; raises InputError where it is cut or damaged."""
    name = f"trace.dat section {section.id}"
    cursor = Cursor(data, name, section.offset, section.offset + section.size, order)
    if section.size > len(data) - section.offset:
        raise cursor.error(f"needs {section.size} bytes, {len(data) - section.offset} are left")
    if not section.compressed:
        return cursor
    compressed, uncompressed = cursor.unpack("II")
    offset = cursor.offset
    content = decompressor.decompress(cursor.take(compressed), uncompressed, offset)
    return Cursor(content, name, order=order)


def find_section(data: memoryview, order: str, offset: int, id_: int) -> Section:
    """The section of `id_` that an option says is at `offset`; raises InputError if it is not."""
    section = read_section(data, order, offset)
    if section.id != id_:
        raise InputError(
            "trace.dat section header", f"is of id {section.id} instead of {id_}", offset=offset
        )
    return section
