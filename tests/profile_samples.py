"""Hand-built SPE records, mappings, threads and files for tests of profiles."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from spetrace.profile.samples import Samples
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS

NEOVERSE_N1 = 0x413FD0C1
RETIRED, L1D_ACCESS, L1D_REFILL, TLB_ACCESS, TLB_WALK = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
NOT_TAKEN, MISPRED = 1 << 6, 1 << 7
LOAD, STORE, BRANCH, OTHER = (1, 0), (1, 1), (2, 0), (0, 0)


def record(operation: tuple[int, int] | None = LOAD, **columns: Any) -> dict[str, Any]:
    """One row of table spe_records: a load on CPU 0 at EL0 by thread 10 unless told otherwise."""
    kind, payload = operation or (None, None)
    row = {
        "source": 0, "cpu": 0, "aux_offset": 0, "size_bytes": 64, "time_ns": 1000,
        "pc": 0x400100, "pc_exception_level": 0, "operation_class": kind,
        "operation_payload": payload, "events": RETIRED, "total_latency_cycles": 10,
        "issue_latency_cycles": 4, "context_el1": 10,
    }  # fmt: skip
    return row | columns


def frame(table: Table, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of a declared table; what is not given is null."""
    columns = {name: [row.get(name) for row in rows] for name in table.names}
    return pl.DataFrame(pl.from_arrow(table.from_columns(columns, len(rows))))


def mapping(start: int, size: int, path: str, **columns: Any) -> dict[str, Any]:
    """One row of table mappings: in process 10 from before the recording."""
    row = {"source": 0, "pid": 10, "tid": 10, "file_offset": 0, "executable": True}
    return row | {"start": start, "size_bytes": size, "path": path} | columns


def thread(tid: int, pid: int, **columns: Any) -> dict[str, Any]:
    """One row of table threads."""
    return {"source": 0, "tid": tid, "pid": pid} | columns


def samples(
    records: Sequence[dict[str, Any]],
    mappings: Sequence[dict[str, Any]] = (),
    threads: Sequence[dict[str, Any]] = (),
    rows_at_a_time: int = 1 << 20,
    **options: Any,
) -> Samples:
    """Samples of the records, in frames of at most `rows_at_a_time` rows."""
    whole = frame(SPE_RECORDS, records)

    def scan(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        yield from whole.select(columns).iter_slices(rows_at_a_time)

    given = {"midrs": {0: {None: NEOVERSE_N1}}} | options
    return Samples(scan, frame(MAPPINGS, mappings), frame(THREADS, threads), **given)


def elf_file(
    functions: Sequence[tuple[str, int, int] | tuple[str, int, int, int]],
    *,
    build_id: bytes | None = bytes(range(20)),
    text: tuple[int, int, int] = (0x1000, 0x401000, 0x1000),
    machine: int = 183,
    kind: int = 2,
) -> bytes:
    """A 64-bit little-endian ELF file (System V ABI) with a .symtab.

    Its symbols are name, address, size, and their binding where it isn't global (1).
    `text` is its one loaded segment: offset in the file, virtual address, size.
    """
    names = b"\0" + b"".join(name.encode() + b"\0" for name, *_ in functions)
    symbols = bytes(24)
    at = 1
    for name, address, size, *binding in functions:
        info = (binding or [1])[0] << 4 | kind
        symbols += struct.pack("<IBBHQQ", at, info, 0, 1, address, size)
        at += len(name.encode()) + 1
    note = struct.pack("<III4s", 4, len(build_id), 3, b"GNU\0") + build_id if build_id else b""
    section_names = b"\0.symtab\0.strtab\0.shstrtab\0"
    note_at = 64 + 2 * 56
    symbols_at = note_at + len(note)
    names_at = symbols_at + len(symbols)
    section_names_at = names_at + len(names)
    sections_at = section_names_at + len(section_names)
    offset, address, size = text
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, sections_at, 0, 64, 56, 2, 64, 4, 3
    )  # fmt: skip
    load = struct.pack("<IIQQQQQQ", 1, 5, offset, address, address, size, size, 4096)
    notes = struct.pack("<IIQQQQQQ", 4, 4, note_at, 0, 0, len(note), len(note), 4)
    sections = bytes(64)
    for name, type_, where, length, link, entry in (
        (1, 2, symbols_at, len(symbols), 2, 24),
        (9, 3, names_at, len(names), 0, 0),
        (17, 3, section_names_at, len(section_names), 0, 0),
    ):
        sections += struct.pack("<IIQQQQIIQQ", name, type_, 0, 0, where, length, link, 0, 1, entry)
    return header + load + notes + note + symbols + names + section_names + sections
