"""A text in chunks of whole lines, so that no more than a few of them are in memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

CHUNK_BYTES = 4 << 20
_NEWLINE, _RETURN = ord("\n"), ord("\r")

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


def iter_chunks(data: memoryview) -> Iterator[bytes]:
    """The text in chunks of whole lines (a line longer than a chunk is cut)."""
    start = 0
    while start < len(data):
        chunk = bytes(data[start : start + CHUNK_BYTES])
        if start + len(chunk) < len(data):
            chunk = chunk[: chunk.rfind(b"\n") + 1] or chunk
        _release(data, start)
        start += len(chunk)
        yield chunk


def _release(data: memoryview, end: int) -> None:
    """Let go of a mapped file's pages before `end`: they have been copied."""
    if isinstance(data.obj, mmap.mmap) and len(data) == len(data.obj):
        size = end // mmap.PAGESIZE * mmap.PAGESIZE
        if size:
            first = max(size - 2 * CHUNK_BYTES, 0)
            data.obj.madvise(mmap.MADV_DONTNEED, first, size - first)


def as_utf8(chunk: bytes) -> bytes:
    """The chunk, what is no UTF-8 in it replaced by U+FFFD."""
    try:
        chunk.decode("ascii")
    except UnicodeDecodeError:
        return chunk.decode("utf-8", "replace").encode()
    return chunk


def find_lines(data: Bytes) -> tuple[Places, Places]:
    """Where each line starts and ends, without its end (LF or CR LF)."""
    ends = np.flatnonzero(data == _NEWLINE)
    if len(data) and data[-1] != _NEWLINE:
        ends = np.append(ends, len(data))
    starts = np.concatenate([np.zeros(min(len(ends), 1), np.int64), ends[:-1] + 1])
    has_return = (ends > starts) & (data[ends - 1] == _RETURN) if len(ends) else ends > starts
    return starts, ends - has_return
