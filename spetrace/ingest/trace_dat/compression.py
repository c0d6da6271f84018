"""Decompression of trace.dat sections and chunks, with limits on what a chunk may claim."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pyarrow as pa

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor

_MAX_CHUNK_BYTES = 1 << 30
_FREE_BYTES = 1 << 26
_MAX_RATIO = 256
NAMES = ("none", "zlib", "zstd")


class Decompressor:
    """Decompresses the pieces of one file; what all of them grow to is bounded by their sizes.

    A real recording is compressed to a tenth or so. A file may grow by 64 MiB and beyond that to 256
    times its size; a piece that claims more raises InputError before anything is allocated.
    """

    def __init__(self, name: str) -> None:
        if name not in NAMES:
            raise InputError("trace.dat prologue", f"compression {name[:32]!r} is not read")
        self.name = name
        self._budget = _FREE_BYTES

    def decompress(self, piece: memoryview, size: int, offset: int) -> memoryview:
        """`piece` (at `offset` of the file) decompressed to exactly `size` bytes.

        Raises InputError where it is damaged or grows too far.
        """
        if not (piece and size):
            raise _error("are empty", offset)
        self._budget += len(piece) * _MAX_RATIO
        if size > min(self._budget, _MAX_CHUNK_BYTES):
            raise _error(f"{len(piece)} bytes claim to hold {size}", offset)
        self._budget -= size
        try:
            data = self._decompress(piece, size)
        except (OSError, ValueError, zlib.error, pa.ArrowException) as error:
            raise _error(str(error), offset) from error
        if len(data) != size:
            raise _error(f"hold {len(data)} bytes instead of {size}", offset)
        return data

    def _decompress(self, piece: memoryview, size: int) -> memoryview:
        if self.name == "none":
            raise ValueError("compressed in a file that names no compression")
        if self.name == "zlib":
            return memoryview(zlib.decompressobj().decompress(piece, max(size, 1)))
        buffer: pa.Buffer = pa.Codec("zstd").decompress(pa.py_buffer(piece), decompressed_size=size)
        return memoryview(buffer)

    def iter_chunks(self, cursor: Cursor) -> Iterator[memoryview]:
        """The chunks at the cursor, decompressed: their number, then sizes and bytes of each.

        Raises InputError at the first that is cut or damaged.
        """
        for _ in range(cursor.u32()):
            compressed, size = cursor.unpack("II")
            at = cursor.offset
            yield self.decompress(cursor.take(compressed), size, at)


def _error(cause: str, offset: int) -> InputError:
    return InputError("trace.dat compressed data", cause, offset=offset)
