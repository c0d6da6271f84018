"""The pages of all CPUs as bytes in one array: the file itself, or what its chunks decompress to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat.buffers import CpuData
from spetrace.ingest.trace_dat.container import Container

_COUNT_BYTES = 4
"""A CPU's size leaves out its chunk count where trace-cmd 3.1 wrote it (measured on 3.1.6)."""


class Stream(NamedTuple):
    """The pages of one CPU of one buffer: `start` to `end` in the array."""

    buffer: int
    cpu: int
    page_size: int
    start: int
    end: int


class Pages(NamedTuple):
    """The array (uint8) and the streams in it, in order of buffer and CPU."""

    data: npt.NDArray[np.uint8]
    streams: list[Stream]


def read_pages(container: Container) -> Pages:
    """Find, and where needed decompress, all pages; what the file lacks is counted in its quality.

    Raises InputError where CPUs overlap each other.
    """
    _check_overlap(container)
    pieces: list[memoryview] = []
    streams = []
    length = 0
    in_place = not any(b.compressed for b in container.buffers)
    for number, buffer in enumerate(container.buffers):
        for cpu in sorted(buffer.cpus):
            present = _present(container, cpu)
            found = _decompressed(container, cpu) if buffer.compressed else [present]
            start = cpu.offset if in_place else length
            size = sum(len(piece) for piece in found)
            pieces += [] if in_place else found
            length += size
            if size:
                streams.append(Stream(number, cpu.cpu, buffer.page_size, start, start + size))
    if in_place:
        return Pages(np.frombuffer(container.data, np.uint8), streams)
    return Pages(_joined(pieces, length), streams)


def _check_overlap(container: Container) -> None:
    end = 0
    for offset, size in sorted((c.offset, c.size) for b in container.buffers for c in b.cpus):
        if size and offset < end:
            raise InputError("trace.dat CPU data", "overlaps that of another CPU", offset=offset)
        end = max(end, offset + size)


def _present(container: Container, cpu: CpuData) -> memoryview:
    """A CPU's bytes as far as they are in the file."""
    piece = container.data[min(cpu.offset, len(container.data)) :][: cpu.size]
    container.quality.add(
        "file_truncated_bytes",
        cpu.size - len(piece),
        f"data of CPU {cpu.cpu}, from byte {cpu.offset} on",
    )
    return piece


def _decompressed(container: Container, cpu: CpuData) -> list[memoryview]:
    """The chunks of a CPU as far as they can be decompressed."""
    end = cpu.offset + cpu.size + _COUNT_BYTES
    order = container.prologue.order
    cursor = Cursor(container.data, "trace.dat chunks", cpu.offset, end, order)
    chunks: list[memoryview] = []
    try:
        for _ in range(cursor.u32() if cpu.size else 0):
            compressed, size = cursor.unpack("II")
            at = cursor.offset
            chunks.append(container.decompressor.decompress(cursor.take(compressed), size, at))
    except InputError as error:
        if cpu.offset + cpu.size <= len(container.data):
            container.quality.add("trace_damaged_sections", 1, str(error))
    return chunks


def _joined(pieces: list[memoryview], length: int) -> npt.NDArray[np.uint8]:
    data = np.empty(length, np.uint8)
    at = 0
    for piece in pieces:
        data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)
    return data
