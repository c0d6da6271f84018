"""The pages of all CPUs as bytes in one array: the file itself, or what its chunks decompress to."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat.buffers import CpuData
from spetrace.ingest.trace_dat.container import Container

_MEMORY_BYTES = 128 << 20
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

    More than 128 MiB of decompressed pages go to a temporary file. Raises InputError where CPUs
    overlap each other.
    """
    _check_overlap(container)
    if not any(buffer.compressed for buffer in container.buffers):
        return _in_place(container)
    with _Store() as store:
        streams = []
        for number, buffer in enumerate(container.buffers):
            for cpu in sorted(buffer.cpus):
                start = store.length
                pieces = (
                    _chunks(container, cpu) if buffer.compressed else [_present(container, cpu)]
                )
                for piece in pieces:
                    store.add(piece)
                if store.length > start:
                    streams.append(Stream(number, cpu.cpu, buffer.page_size, start, store.length))
        return Pages(store.bytes(), streams)


def _in_place(container: Container) -> Pages:
    streams = []
    for number, buffer in enumerate(container.buffers):
        for cpu in sorted(buffer.cpus):
            size = len(_present(container, cpu))
            if size:
                end = cpu.offset + size
                streams.append(Stream(number, cpu.cpu, buffer.page_size, cpu.offset, end))
    return Pages(np.frombuffer(container.data, np.uint8), streams)


class _Store:
    """Pieces of bytes laid end to end, in memory up to a size and in a nameless file beyond."""

    def __init__(self) -> None:
        self.length = 0
        self._file = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115

    def __enter__(self) -> _Store:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def add(self, piece: memoryview) -> None:
        """Append a piece; raises InputError where there is no room for it."""
        try:
            self._file.write(piece)
        except OSError as error:
            cause = f"can't be decompressed to {tempfile.gettempdir()}: {error.strerror}"
            raise InputError("trace.dat CPU data", cause) from error
        self.length += len(piece)

    def bytes(self) -> npt.NDArray[np.uint8]:
        """All of them."""
        if self.length <= _MEMORY_BYTES:
            self._file.seek(0)
            return np.frombuffer(self._file.read(), np.uint8)
        self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), self.length, access=mmap.ACCESS_READ)
        return np.frombuffer(memoryview(mapped), np.uint8)


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


def _chunks(container: Container, cpu: CpuData) -> Iterator[memoryview]:
    """The chunks of a CPU as far as they can be decompressed."""
    end = cpu.offset + cpu.size + _COUNT_BYTES
    order = container.prologue.order
    _present(container, cpu)
    cursor = Cursor(container.data, "trace.dat chunks", cpu.offset, end, order)
    try:
        if cpu.size:
            yield from container.decompressor.iter_chunks(cursor)
    except InputError as error:
        if cpu.offset + cpu.size <= len(container.data):
            container.quality.add("trace_damaged_sections", 1, str(error))
