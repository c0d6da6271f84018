"""TRACING_DATA: the formats of the recorded tracepoints, as perf copied them from tracefs.

Source: Linux 6.12 tools/perf/util/trace-event-info.c (writer) and trace-event-read.c.
"""

from __future__ import annotations

from spetrace.errors import InputError
from spetrace.ingest.cursor import Cursor
from spetrace.ingest.perf_data.abi import RECORD_HEADER_BYTES, RecordType
from spetrace.ingest.perf_data.framing import Block
from spetrace.ingest.trace_metadata import (
    Metadata,
    iter_event_formats,
    iter_ftrace_formats,
    read_header_info,
)
from spetrace.quality import Quality

_MAGIC = b"\x17\x08\x44tracing"
_LONGEST_VERSION = 16
_LONG_BYTES = 8


def parse_tracing_data(section: memoryview | None, quality: Quality) -> Metadata:
    """The formats of a file; of a section that is cut or damaged those before that, and it is counted.

    A file without the section (None) tells no format.
    """
    metadata = Metadata(_LONG_BYTES)
    if section is None:
        return metadata
    try:
        _parse(Cursor(section, "TRACING_DATA"), metadata)
    except InputError as error:
        quality.add("perf_damaged_records", 1, str(error))
    return metadata


def find_tracing_data(block: Block) -> memoryview | None:
    """What follows a block's first HEADER_TRACING_DATA record, as far as it is in the file.

    None where there is no such record that tells its size.
    """
    rows = block.rows(RecordType.HEADER_TRACING_DATA)
    rows = rows[block.sizes[rows] >= RECORD_HEADER_BYTES + 4][:1]
    if not len(rows):
        return None
    start = int((block.offsets[rows] + block.sizes[rows])[0])
    size = int(block.u32(rows, RECORD_HEADER_BYTES)[0])
    return block.data[start : min(start + size, block.end)].data


def _parse(cursor: Cursor, metadata: Metadata) -> None:
    """Read up to the formats; kallsyms, printk formats and command lines come after them."""
    if bytes(cursor.take(len(_MAGIC))) != _MAGIC:
        raise InputError(cursor.structure, "has another magic number", offset=0)
    cursor.c_string(_LONGEST_VERSION)
    big_endian, metadata.long_size = cursor.u8(), cursor.u8()
    if big_endian > 1 or metadata.long_size not in (4, 8):
        raise cursor.error(f"endianness {big_endian} and long size {metadata.long_size} are none")
    cursor.order = "<>"[big_endian]
    cursor.u32()  # page size
    read_header_info(cursor, metadata)
    metadata.add_formats(iter_ftrace_formats(cursor))
    metadata.add_formats(iter_event_formats(cursor))
