"""Where a zstd stream can be ended: the extents of its frames and blocks (RFC 8878, section 3.1.1).

perf flushes its compressor after each block of records and never finishes the frame, so each of its
recordings ends inside one; a cut file ends inside a block as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

LAST_BLOCK = b"\x01\x00\x00"
"""An empty raw block with the last-block flag: it finishes a frame without checksum."""

_MAGIC = 0xFD2FB528
_RLE_BLOCK = 1
_DICTIONARY_ID_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)


class WholePart(NamedTuple):
    """The leading part of a stream that can be decompressed, and what has to follow to end it."""

    size: int
    ending: bytes


class _FrameHeader(NamedTuple):
    size: int
    checksum: bool
    closable: bool
    """Whether the frame may end after any block: it has neither a content size nor a checksum."""


def whole_part(payloads: Sequence[memoryview]) -> WholePart:
    """The part of the stream that `payloads` make in sequence up to its last whole block."""
    stream = _Concatenation(payloads)
    at = 0
    while at < stream.size:
        header = _frame_header(stream, at)
        if header is None:
            return WholePart(at, b"")
        end, finished = _blocks_end(stream, at + header.size)
        tail = 4 if header.checksum else 0
        if finished and end + tail <= stream.size:
            at = end + tail
        elif header.closable and end > at + header.size:
            return WholePart(end, b"" if finished else LAST_BLOCK)
        else:
            return WholePart(at, b"")
    return WholePart(at, b"")


class _Concatenation:
    """Random access to the bytes of several buffers as if they were one."""

    def __init__(self, parts: Sequence[memoryview]) -> None:
        self.parts = parts
        self.starts = np.array([0, *accumulate(len(part) for part in parts)], np.int64)
        self.size = int(self.starts[-1])

    def integer(self, at: int, width: int) -> int | None:
        """The little-endian integer at `at`; None where the stream ends before it does."""
        if at + width > self.size:
            return None
        part = int(np.searchsorted(self.starts, at, "right")) - 1
        offset = at - int(self.starts[part])
        taken = bytes(self.parts[part][offset : offset + width])
        while len(taken) < width:
            part += 1
            taken += bytes(self.parts[part][: width - len(taken)])
        return int.from_bytes(taken, "little")


def _frame_header(stream: _Concatenation, at: int) -> _FrameHeader | None:
    """The frame header at `at`; None where there is none that a recording may have."""
    descriptor = stream.integer(at + 4, 1)
    if stream.integer(at, 4) != _MAGIC or descriptor is None:
        return None
    single_segment, checksum = bool(descriptor & 0x20), bool(descriptor & 0x04)
    content_size = _CONTENT_SIZE_BYTES[descriptor >> 6] or int(single_segment)
    dictionary_id = _DICTIONARY_ID_BYTES[descriptor & 3]
    size = 5 + (not single_segment) + dictionary_id + content_size
    return _FrameHeader(size, checksum, not checksum and not content_size)


def _blocks_end(stream: _Concatenation, at: int) -> tuple[int, bool]:
    """Where the last whole block from `at` on ends, and whether it is the frame's last."""
    while (header := stream.integer(at, 3)) is not None:
        size = 3 + (1 if header >> 1 & 3 == _RLE_BLOCK else header >> 3)
        if at + size > stream.size:
            break
        at += size
        if header & 1:
            return at, True
    return at, False
