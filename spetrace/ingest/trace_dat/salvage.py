"""The trace data of a version 7 file whose last options are missing: it was cut, or its writer killed.

Without the BUFFER option nothing says where each CPU's data begins. It is found by its structure:
chunks end where their sizes say; uncompressed pages of one CPU have rising timestamps. Which CPU it is
follows from the CPUSTAT options, which stand before the data.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat import sections
from spetrace.ingest.trace_dat.buffers import Buffer, CpuData
from spetrace.ingest.trace_dat.cpu_stats import read_cpu_stats
from spetrace.ingest.trace_dat.options import Option
from spetrace.ingest.trace_dat.prologue import Prologue
from spetrace.ingest.trace_dat.sections import Section


def salvage_buffers(
    data: memoryview, prologue: Prologue, options: list[Option], known: set[int]
) -> list[Buffer]:
    """The buffers whose sections are in the file, but those with data at an offset in `known`.

    In order of the file; instances are nameless.
    """
    found = [
        section
        for section in sections.iter_sections(data, prologue.order, prologue.body_offset)
        if section.id == sections.BUFFER
    ]
    cpus = [stats.cpu for stats in read_cpu_stats(options) if stats.events]
    buffers = []
    for section in found:
        pieces = list(_split(data, prologue, section))
        if not pieces or pieces[0][0] in known:
            continue
        numbers = cpus if len(cpus) >= len(pieces) else list(range(len(pieces)))
        data_of_cpus = [CpuData(cpu, *piece) for cpu, piece in zip(numbers, pieces, strict=False)]
        buffers.append(Buffer("", None, prologue.page_size, section.compressed, data_of_cpus))
    return buffers


def _split(data: memoryview, prologue: Prologue, section: Section) -> Iterator[tuple[int, int]]:
    """Offset and size of each CPU's data in a section."""
    page = prologue.page_size
    start = _aligned(section.offset, page)
    end = min(section.offset + section.size, len(data)) if section.size else len(data)
    if section.compressed:
        while start < end:
            stop = _end_of_chunks(data, prologue.order, start, end)
            yield start, stop - start
            start = _aligned(stop, page)
        return
    count = (end - start) // page
    if count <= 0:
        return
    pages = np.frombuffer(data, np.uint8, count * page, start).reshape(count, page)
    stamps = np.ascontiguousarray(pages[:, :8]).view(f"{prologue.order}u8").ravel()
    starts = [0, *(np.flatnonzero(stamps[1:] < stamps[:-1]) + 1).tolist(), count]
    for first, last in itertools.pairwise(starts):
        if first < last:
            yield start + first * page, (last - first) * page


def _end_of_chunks(data: memoryview, order: str, start: int, end: int) -> int:
    cursor = Cursor(data, "trace.dat chunks", start, end, order)
    try:
        for _ in range(cursor.u32()):
            compressed, _size = cursor.unpack("II")
            cursor.take(compressed)
    except InputError:
        return end
    return cursor.offset


def _aligned(offset: int, page: int) -> int:
    return -(-offset // page) * page
