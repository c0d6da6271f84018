"""Arrays of any length at a bounded cost of memory: long ones are in temporary files without a name.

How it works: a long array is a shared mapping of its file, so that it is used as any other array. What
is read and written of it counts as memory of the process until it is let go; the system keeps it in
its cache or writes it to the disk. The file's disk space goes with the last reference to its arrays.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final
from weakref import finalize

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError

HELD_BYTES: Final = 1 << 22
"""So many of one table are held in memory before a file is made."""
CHUNK_ROWS: Final = 1 << 17
"""Rows of long arrays that are taken at a time."""
_FILL_BYTES: Final = 1 << 20
_PAGE: Final = 1 << 12

AnyArray = npt.NDArray[Any]


def room(count: int, *fills: np.generic) -> list[AnyArray]:
    """An array of `count` items for each of `fills`, all items that value, of its type.

    Raises InputError where there is no room for them: the file is written here, so that no later
    access to them fails.
    """
    sizes = [-(-count * fill.itemsize // _PAGE) * _PAGE for fill in fills]
    if sum(sizes) <= HELD_BYTES:
        return [np.full(count, fill) for fill in fills]
    with temporary_file() as file:
        for fill, size in zip(fills, sizes, strict=True):
            _write_fill(file, fill, size)
        mapped = mmap.mmap(file.fileno(), sum(sizes))
    starts = np.cumsum([0, *sizes]).tolist()
    return [
        np.frombuffer(mapped, fill.dtype, count, start)
        for fill, start in zip(fills, starts, strict=False)
    ]


def let_go(*arrays: AnyArray) -> None:
    """Take what is in files of these arrays, or of what they are parts of, out of the process's memory."""
    for mapped in {id(m): m for m in map(_mapping, arrays) if m is not None}.values():
        mapped.madvise(mmap.MADV_DONTNEED)


def chunks(count: int, rows: int = CHUNK_ROWS) -> Iterator[slice]:
    """The slices of that many rows at most which make up `count` rows."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


class Column:
    """An array that grows at its end: in memory while it is short, then in a file."""

    def __init__(self, dtype: npt.DTypeLike, held_bytes: int | None = None) -> None:
        self._dtype = np.dtype(dtype)
        self._held_bytes = HELD_BYTES if held_bytes is None else held_bytes
        self._held: list[AnyArray] = []
        self._file: IO[bytes] | None = None
        self._bytes = 0

    def __len__(self) -> int:
        return self._bytes // self._dtype.itemsize

    def add(self, values: AnyArray) -> None:
        """Append items; raises InputError where there is no room for them."""
        self._bytes += values.nbytes
        self._held.append(values)
        if self._bytes > self._held_bytes:
            with refusals():
                self._put_away()

    def _put_away(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as this
            finalize(self, self._file.close)
        for held in self._held:
            write_all(self._file, np.ascontiguousarray(held).view(np.uint8).data)
        self._held = []

    def finish(self) -> AnyArray:
        """All items; nothing can be added any more."""
        if self._file is None:
            return np.concatenate([np.zeros(0, self._dtype), *self._held])
        with self._file:
            mapped = mmap.mmap(self._file.fileno(), self._bytes)
        return np.frombuffer(mapped, self._dtype)


@contextmanager
def refusals() -> Iterator[None]:
    """What the system refuses as InputError."""
    try:
        yield
    except OSError as error:
        cause = f"can't be kept in {tempfile.gettempdir()}: {error.strerror}"
        raise InputError("temporary file", cause) from error


@contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """A file without a name and without a buffer; InputError where the system refuses to write to it."""
    with refusals(), tempfile.TemporaryFile(buffering=0) as file:
        yield file


def write_all(file: IO[bytes], data: memoryview) -> None:
    """Write all bytes: a file without a buffer may take fewer at a time."""
    while len(data):
        data = data[file.write(data) :]


def _write_fill(file: IO[bytes], fill: np.generic, size: int) -> None:
    block = np.full(max(_FILL_BYTES // fill.itemsize, 1), fill).view(np.uint8)
    for start in range(0, size, len(block)):
        write_all(file, block[: size - start].data)


def _mapping(array: Any) -> mmap.mmap | None:
    while isinstance(array, np.ndarray):
        array = array.base
    mapped = array.obj if isinstance(array, memoryview) else None
    return mapped if isinstance(mapped, mmap.mmap) else None
