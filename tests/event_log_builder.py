"""Event logs for tests, in each of the forms that the importer reads."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Event = dict[str, Any]

ONE_OF_EACH: list[Event] = [
    {"ts": -5, "kind": "stage1_map", "va": "0xffff800010000000", "ipa": "0x80100000", "pages": 4,
     "tables": ["0x80200000", 2149580800]},
    {"ts": 0, "kind": "stage1_unmap", "va": 0xFFFF800010000000, "pages": 1},
    {"ts": 1, "vm": 3, "vcpu": 2, "kind": "sysreg_write", "reg": "PMBPTR_EL1", "value": "0xFfff800010000000"},
    {"ts": 2, "kind": "eret", "to_el": 0},
    {"ts": 2, "kind": "exception"},
    {"ts": 3, "kind": "spe_record", "bytes": 64},
    {"ts": 4, "kind": "buffer_full"},
    {"ts": 5, "kind": "stage2_map", "ipa": "0x80100000", "pages": 2},
    {"ts": 5, "kind": "stage2_map", "ipa": "0x80100000", "pages": 2, "writable": False},
    {"ts": 6, "kind": "stage2_wrprotect", "ipa": "0x80100000", "pages": 2},
    {"ts": 7, "kind": "stage2_unmap", "ipa": "0x80100000", "pages": 2},
    {"ts": 8, "kind": "stage2_unmap", "ipa": "0x80100000", "pages": 2, "cause": "ksm"},
]  # fmt: skip


def build_json_lines(events: Iterable[Event], session: Event | None = None) -> bytes:
    """One event a line, after a session line where `session` (its parameters) is given."""
    first = [] if session is None else [{"kind": "session", **session}]
    return "".join(json.dumps(event) + "\n" for event in [*first, *events]).encode()


def build_table(events: Iterable[Event], **types: pa.DataType) -> pa.Table:
    """The events as columns; `types` sets the types of some."""
    rows = list(events)
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({n: pa.array([row.get(n) for row in rows], types.get(n)) for n in names})


def build_parquet(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def build_arrow(table: pa.Table, stream: bool = False) -> bytes:
    """The table as an Arrow IPC file or stream."""
    sink = io.BytesIO()
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
