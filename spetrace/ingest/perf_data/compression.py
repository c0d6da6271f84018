"""PERF_RECORD_COMPRESSED and COMPRESSED2: one zstd stream of records, in the payloads of many."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from spetrace.ingest.perf_data.abi import RecordType
from spetrace.ingest.perf_data.framing import Block, Bytes, RecordWalk
from spetrace.ingest.perf_data.kernel import BAD_SIZE
from spetrace.ingest.perf_data.zstd_frames import whole_part
from spetrace.quality import Quality

_CHUNK_BYTES = 1 << 18
_LARGEST_RATIO = 256
_SMALL_OUTPUT_BYTES = 1 << 24


def compressed_payloads(block: Block, quality: Quality) -> list[memoryview]:
    """The compressed bytes of each record of a block that has some, in file order."""
    with_size = block.types == RecordType.COMPRESSED2
    rows = np.flatnonzero(with_size | (block.types == RecordType.COMPRESSED))
    payloads = []
    for row, has_size in zip(rows.tolist(), with_size[rows].tolist(), strict=True):
        body = block.body(row)
        if has_size:
            size = int.from_bytes(body[:8], "little" if block.order == "<" else "big")
            body = body[8:]
            if size > len(body):
                quality.add("perf_damaged_records", 1, f"byte {block.offsets[row]}: COMPRESSED2")
                size = 0
            body = body[:size]
        payloads.append(body)
    return payloads


def iter_compressed_blocks(
    payloads: Sequence[memoryview], order: str, quality: Quality
) -> Iterator[Block]:
    """The blocks of records that the payloads hold, decompressed a piece at a time.

    What can't be decompressed, or framed, ends them and is counted; a stream that is just cut gives
    what it holds.
    """
    rest: Bytes = np.empty(0, np.uint8)
    for chunk in _decompress(payloads, quality):
        data = np.concatenate([rest, np.frombuffer(chunk, np.uint8)])
        walk = RecordWalk(data, 0, len(data), order, payloads=False)
        yield from walk
        if walk.stop.how == BAD_SIZE:
            quality.add("perf_damaged_records", 1, "a compressed record of a size below 8")
            return
        rest = data[walk.stop.offset :].copy()
    if len(rest):
        needed = walk.stop.missing
        quality.add("file_truncated_bytes", needed, "the last compressed record")


def _decompress(payloads: Sequence[memoryview], quality: Quality) -> Iterator[bytes]:
    """The decompressed stream, bounded by what recordings can hold: records do not compress beyond."""
    whole = whole_part(payloads)
    given = sum(map(len, payloads))
    quality.add("perf_damaged_records", int(whole.size < given), "compressed data is cut")
    left = _SMALL_OUTPUT_BYTES + _LARGEST_RATIO * given
    source = pa.PythonFile(_Source(_parts(payloads, whole.size, whole.ending)), "r")
    try:
        stream = pa.CompressedInputStream(source, "zstd")
        while left > 0 and (chunk := stream.read(_CHUNK_BYTES)):
            left -= len(chunk)
            yield chunk
    except OSError as error:
        quality.add("perf_damaged_records", 1, f"compressed data: {error}")
        return
    if left <= 0:
        quality.add("perf_damaged_records", 1, f"compressed more than {_LARGEST_RATIO} times")


def _parts(payloads: Iterable[memoryview], size: int, ending: bytes) -> Iterator[bytes]:
    """The first `size` bytes of the payloads, then `ending`."""
    for payload in payloads:
        part = bytes(payload[:size])
        size -= len(part)
        if part:
            yield part
    if ending:
        yield ending


class _Source(io.RawIOBase):
    """A file of byte strings that gives at most one at a time.

    So what those before a damaged one held is out before it is met.
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        part = self._rest or next(self._parts, b"")
        taken = part if size < 0 else part[:size]
        self._rest = part[len(taken) :]
        return taken
