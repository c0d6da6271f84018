"""The file header of perf.data: byte order, mode, sections and feature bitmap."""

from __future__ import annotations

import struct
from typing import NamedTuple

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.perf_data.abi import MAGIC, MAGIC_VERSION_1, Feature

PIPE_HEADER_BYTES = 16
_MINIMAL_BYTES = 72
_BITMAP_BYTES = 32
_MINIMAL_ATTR_BYTES = 64
_SECTION_BYTES = 16


_FURTHEST = 1 << 50


class Section(NamedTuple):
    """A range of the file, as the file announces it."""

    offset: int
    size: int

    @classmethod
    def announced(cls, offset: int, size: int) -> Section:
        """A range by numbers from a file; those that no file reaches are damage, and cut.

        So what is missing of a range remains a number that can be added up.
        """
        return cls(min(offset, _FURTHEST), min(size, _FURTHEST))

    @property
    def end(self) -> int:
        """The first byte after the range."""
        return self.offset + self.size


class Header(NamedTuple):
    """A perf.data file header (tools/perf/util/header.h, `struct perf_file_header`).

    `order` is "<" or ">". A pipe-mode file has no attrs section, and its data reach to the end of
    the file, as those of a recording do that was killed (`data.size` 0).
    """

    order: str
    size: int
    pipe: bool
    attr_bytes: int
    attrs: Section
    data: Section
    features: tuple[int, ...]

    @property
    def killed(self) -> bool:
        """Whether the recorder never came to write how much it had recorded."""
        return not self.pipe and not self.data.size


def starts_perf_data(head: bytes) -> bool:
    """Whether a file that begins with `head` is a perf.data file, of any version and byte order."""
    return head[:8] in (MAGIC, MAGIC[::-1], MAGIC_VERSION_1, MAGIC_VERSION_1[::-1])


def parse_header(data: memoryview) -> Header:
    """Parse the file header.

    Raises InputError where it is cut, of version 1, or contradicts itself.
    """
    cursor = Cursor(data, "perf.data header")
    order = _byte_order(cursor)
    cursor.order = order
    size = cursor.u64()
    if size == PIPE_HEADER_BYTES:
        nothing, rest = Section(0, 0), Section(size, len(data) - size)
        return Header(order, size, True, 0, nothing, rest, ())
    if size < _MINIMAL_BYTES:
        raise cursor.error(f"header size {size} is neither {PIPE_HEADER_BYTES} nor at least 72")
    attr_bytes, *sections = cursor.unpack("7Q")
    attrs, records = Section.announced(*sections[:2]), Section.announced(*sections[2:4])
    whole = size >= _MINIMAL_BYTES + _BITMAP_BYTES
    features = _feature_bits(bytes(cursor.take(_BITMAP_BYTES)), order) if whole else ()
    header = Header(order, size, False, attr_bytes, attrs, records, features)
    _check(header, cursor)
    return header


def _byte_order(cursor: Cursor) -> str:
    magic = bytes(cursor.take(8))
    if magic in (MAGIC_VERSION_1, MAGIC_VERSION_1[::-1]):
        raise InputError("perf.data header", "version 1 (PERFFILE) is not read", offset=0)
    if magic not in (MAGIC, MAGIC[::-1]):
        raise InputError("perf.data header", "does not begin with PERFILE2", offset=0)
    return "<" if magic == MAGIC else ">"


def _check(header: Header, cursor: Cursor) -> None:
    attrs, data = header.attrs, header.data
    if attrs.size and header.attr_bytes < _MINIMAL_ATTR_BYTES + _SECTION_BYTES:
        raise cursor.error(f"an attribute entry of {header.attr_bytes} bytes is too short")
    if data.offset < header.size or (attrs.size and attrs.offset < header.size):
        raise cursor.error("a section begins inside the header")
    if attrs.offset < data.end and data.offset < attrs.end:
        raise cursor.error("the attributes and the data overlap")


def _feature_bits(bitmap: bytes, order: str) -> tuple[int, ...]:
    """Set bits of the bitmap, an array of the writer's `unsigned long`.

    Only HOSTNAME, which perf always sets, tells how wide those were in a big-endian file
    (tools/perf/util/header.c, `perf_file_header__read`).
    """
    bits = _set_bits(bitmap, order, "Q")
    if order == "<" or Feature.HOSTNAME in bits or not bits:
        return bits
    bits = _set_bits(bitmap, order, "I")
    return bits if Feature.HOSTNAME in bits else tuple(b for b in bits if b == Feature.BUILD_ID)


def _set_bits(bitmap: bytes, order: str, word: str) -> tuple[int, ...]:
    width = struct.calcsize("=" + word)
    words = struct.unpack(f"{order}{len(bitmap) // width}{word}", bitmap)
    return tuple(
        n for n in range(len(bitmap) * 8) if words[n // (8 * width)] >> (n % (8 * width)) & 1
    )
