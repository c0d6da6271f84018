"""Each KVM/arm64 tracepoint of each kernel: one record, its columns, their types and values."""

from __future__ import annotations

import struct
from pathlib import Path

import polars as pl
import pytest
from builders_trace_dat import Cpu, Instance, Machine, TraceDat, build_format
from kvm_events import Field, Tracepoint, iter_tracepoints

from spetrace.ingest.event_format import parse_event_format
from spetrace.ingest.trace_dat.importer import read

LE = Machine()
TRACEPOINTS = list(iter_tracepoints())
COMMON = ["index", "time_ns", "cpu", "pid", "comm", "tgid"]
FORMATS = {"6.12": "00-formats-6.12/kvm", "6.1": "14-kernel-6.1/formats"}
OTHERS = {"kvm_fpu"}
"""Of the generic ones, emitted on x86 alone."""
TYPES = {
    "unsigned long": pl.UInt64,
    "unsigned long long": pl.UInt64,
    "unsigned int": pl.UInt32,
    "int": pl.Int32,
    "bool": pl.Boolean,
    "u8": pl.UInt8,
    "u32": pl.UInt32,
    "__u32": pl.UInt32,
    "u64": pl.UInt64,
    "__u64": pl.UInt64,
}


def column_type(field: Field) -> pl.DataType | type[pl.DataType]:
    if field.items > 1:
        return pl.List(pl.UInt64)
    return pl.UInt64 if "*" in field.type else TYPES[field.type]


def field_bytes(field: Field) -> bytes:
    """No byte of a field is that of another; the top bit is set, so that signs show."""
    if field.type == "bool":
        return b"\1"
    return bytes(
        (0xF0 - 7 * i - field.offset) % 256 | (0x80 * (i % 8 == 7)) for i in range(field.size)
    )


def field_value(field: Field) -> object:
    raw = field_bytes(field)
    if field.type == "bool":
        return True
    if field.items > 1:
        return list(struct.unpack(f"<{field.items}Q", raw))
    return int.from_bytes(raw, "little", signed=field.signed)


def table_of(tracepoint: Tracepoint) -> pl.DataFrame:
    lines = ((f.declaration, f.offset, f.size, int(f.signed)) for f in tracepoint.fields)
    body = bytearray(max(f.offset + f.size for f in tracepoint.fields) - 8)
    for field in tracepoint.fields:
        body[field.offset - 8 : field.offset - 8 + field.size] = field_bytes(field)
    event = LE.long_event(LE.record(61, 100, bytes(body)), delta=3)
    file = TraceDat(
        formats=[build_format(tracepoint.name, 61, *lines)],
        instances=[Instance([Cpu(2, LE.page(40, event))])],
    )
    return read("x", memoryview(file.v7())).tracepoints[tracepoint.name]


@pytest.mark.parametrize("tracepoint", TRACEPOINTS, ids=lambda t: f"{t.name}-{t.kernel}")
def test_record_of_tracepoint(tracepoint: Tracepoint) -> None:
    table = table_of(tracepoint)
    own = table.select(table.columns[len(COMMON) :])
    assert table.select("time_ns", "cpu", "pid", "comm").row(0) == (43, 2, 100, "vcpu 0")
    names = [f"{f.name}_f" if f.name in COMMON else f.name for f in tracepoint.fields]
    assert own.schema == dict(zip(names, map(column_type, tracepoint.fields), strict=True))
    assert own.row(0) == tuple(field_value(f) for f in tracepoint.fields)


@pytest.mark.parametrize("kernel", FORMATS)
def test_declarations_are_those_of_the_kernel(shared: Path, kernel: str) -> None:
    folder = shared / "captures" / "kvm" / FORMATS[kernel]
    texts = {p.stem: p.read_text() for p in folder.glob("*.format") if p.stem not in OTHERS}
    ours = {t.name: t for t in TRACEPOINTS if t.kernel == kernel}
    assert set(texts) == set(ours)
    for name, text in texts.items():
        fields = parse_event_format(text).fields
        assert [(f.declaration, f.offset, f.size) for f in fields] == [
            (f.declaration, f.offset, f.size) for f in ours[name].fields
        ], name
