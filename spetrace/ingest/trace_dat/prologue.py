"""The head of a trace.dat file: version, byte order, sizes, compression, where the options are."""

from __future__ import annotations

from dataclasses import dataclass

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor

MAGIC = b"\x17\x08\x44tracing"
_VERSIONS = ("6", "7")
_MAX_PAGE_BYTES = 1 << 26


@dataclass(frozen=True)
class Prologue:
    """The fixed facts of a trace.dat file (trace-cmd.dat.v6(5), trace-cmd.dat.v7(5))."""

    version: int
    order: str
    """Of all integers that follow and of the records: "<" or ">"."""
    long_size: int
    """Of the recording program; the kernel's may differ."""
    page_size: int
    compression: str
    compression_version: str
    options_offset: int
    """Of the first options section; 0 in version 6 and where the recorder never wrote it."""
    body_offset: int
    """Where what follows the prologue begins."""


def read_prologue(data: memoryview) -> Prologue:
    """Read the prologue at the start of `data`.

    Raises InputError where it is cut, of a version that is not read, or contradicts itself.
    """
    cursor = Cursor(data, "trace.dat prologue")
    if bytes(cursor.take(len(MAGIC))) != MAGIC:
        raise InputError("trace.dat prologue", "has another magic number", offset=0)
    version = cursor.c_string(16)
    if version not in _VERSIONS:
        raise cursor.error(f"version {version[:16]!r} is not read, only 6 and 7 are")
    endianness, long_size = cursor.u8(), cursor.u8()
    if endianness > 1 or long_size not in (4, 8):
        raise cursor.error(f"endianness {endianness} and long size {long_size} are none")
    cursor.order = "<>"[endianness]
    page_size = cursor.u32()
    if not 64 <= page_size <= _MAX_PAGE_BYTES:
        raise cursor.error(f"a page size of {page_size} bytes is none")
    compression, compression_version, options_offset = "none", "", 0
    if version == "7":
        compression, compression_version = cursor.c_string(64), cursor.c_string(256)
        options_offset = cursor.u64()
    return Prologue(
        int(version),
        cursor.order,
        long_size,
        page_size,
        compression,
        compression_version,
        options_offset,
        cursor.offset,
    )
