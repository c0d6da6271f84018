"""Trace buffers: the top one and the instances, and where the pages of each CPU are in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat import sections
from spetrace.ingest.trace_dat.compression import Decompressor
from spetrace.ingest.trace_dat.options import Option, OptionId
from spetrace.ingest.trace_dat.prologue import Prologue

TAG_BYTES = 10
FLYRECORD = b"flyrecord\0"
_MAX_CPUS = 1 << 16
_MAX_PAGE_BYTES = 1 << 26
_PAGE_HEADER_BYTES = 16
_CPU_ENTRY_BYTES = 16


class CpuData(NamedTuple):
    """The bytes of one CPU in the file, as the file's table announces them."""

    cpu: int
    offset: int
    size: int


@dataclass
class Buffer:
    """One trace buffer; `name` is "" for the top one."""

    name: str
    clock: str | None
    page_size: int
    compressed: bool
    cpus: list[CpuData] = field(default_factory=list)


def read_v7_buffer(data: memoryview, prologue: Prologue, option: Option) -> Buffer:
    """Read a BUFFER option of version 7; raises InputError where it is cut or beyond sanity."""
    cursor = option.cursor(prologue.order)
    offset = cursor.u64()
    name, clock = cursor.c_string(), cursor.c_string()
    page_size, count = cursor.u32(), cursor.u32()
    if not _PAGE_HEADER_BYTES <= page_size <= _MAX_PAGE_BYTES or count > _MAX_CPUS:
        raise cursor.error(f"a page size of {page_size} bytes and {count} CPUs are none")
    compressed = False
    if count:
        section = sections.find_section(data, prologue.order, offset, sections.BUFFER)
        compressed = section.compressed
    buffer = Buffer(name, clock or None, page_size, compressed)
    for _ in range(count):
        buffer.cpus.append(CpuData(*cursor.unpack("IQQ")))
    return buffer


def read_v7_text(
    data: memoryview, prologue: Prologue, option: Option, decompressor: Decompressor
) -> memoryview:
    """The text that a BUFFER_TEXT option points at; raises InputError where it is cut or damaged."""
    offset = option.cursor(prologue.order).u64()
    section = sections.find_section(data, prologue.order, offset, sections.BUFFER_TEXT)
    end = section.offset + section.size
    cursor = Cursor(data, "trace.dat text", section.offset, end, prologue.order)
    if not section.compressed:
        return cursor.take(cursor.left)
    return memoryview(b"".join(decompressor.iter_chunks(cursor)))


def read_v6_buffers(
    cursor: Cursor, prologue: Prologue, cpus: int, options: list[Option]
) -> Iterator[Buffer]:
    """The top buffer (its table is at the cursor) and the instances that the options name."""
    clocked = any(o.id == OptionId.TRACECLOCK for o in options)
    top = Buffer("", None, prologue.page_size, compressed=False, cpus=_read_cpu_table(cursor, cpus))
    if clocked:
        top.clock = _read_clock(cursor)
    yield top
    instances = [option for option in options if option.id == OptionId.BUFFER]
    if len(instances) * cpus * _CPU_ENTRY_BYTES > len(cursor.data):
        raise cursor.error(f"{len(instances)} instances of {cpus} CPUs are more than it can hold")
    for option in instances:
        yield _read_v6_instance(cursor, prologue, cpus, option, clocked)


def _read_v6_instance(
    file: Cursor, prologue: Prologue, cpus: int, option: Option, clocked: bool
) -> Buffer:
    place = option.cursor(prologue.order)
    offset, name = place.u64(), place.c_string()
    cursor = Cursor(file.data, f"trace.dat instance {name[:64]}", offset, order=prologue.order)
    if bytes(cursor.take(TAG_BYTES)) != FLYRECORD:
        raise InputError(cursor.structure, "has no flyrecord tag", offset=offset)
    buffer = Buffer(name, None, prologue.page_size, compressed=False)
    buffer.cpus = _read_cpu_table(cursor, cpus)
    if clocked:
        buffer.clock = _read_clock(cursor)
    return buffer


def _read_cpu_table(cursor: Cursor, cpus: int) -> list[CpuData]:
    if cpus > _MAX_CPUS:
        raise cursor.error(f"{cpus} CPUs are more than there can be")
    return [CpuData(cpu, *cursor.unpack("QQ")) for cpu in range(cpus)]


def _read_clock(cursor: Cursor) -> str | None:
    """The name in brackets; None where the recording is cut before it or names none."""
    try:
        text = bytes(cursor.take(cursor.u64())).decode("utf-8", "replace")
    except InputError:
        return None
    return current_clock(text)


def current_clock(text: str) -> str | None:
    """The one in brackets of a trace_clock text."""
    _, bracket, rest = text.partition("[")
    return rest.partition("]")[0] or None if bracket else None
