from __future__ import annotations

import pyarrow as pa
import pytest
from event_log_builder import (
    ONE_OF_EACH,
    build_arrow,
    build_json_lines,
    build_parquet,
    build_table,
)

from spetrace.errors import InputError
from spetrace.ingest.event_log.importer import read, sniff

NUMBERS = [
    {
        k: int(v, 16) if str(v).startswith("0x") else [0x80200000, 2149580800] if k == "tables" else v
        for k, v in event.items()
    }
    for event in ONE_OF_EACH
]  # fmt: skip
FROM_JSON = read("x", memoryview(build_json_lines(ONE_OF_EACH))).events


def read_bytes(data: bytes):
    assert sniff(data[: 1 << 16])
    return read("log", memoryview(data))


def error_of(table: pa.Table) -> str:
    with pytest.raises(InputError) as caught:
        read_bytes(build_parquet(table))
    return str(caught.value)


@pytest.mark.parametrize(
    ("build", "format_"),
    [
        (build_parquet, "event log (Parquet)"),
        (build_arrow, "event log (Arrow)"),
        (lambda table: build_arrow(table, stream=True), "event log (Arrow stream)"),
    ],
)
@pytest.mark.parametrize(
    "table",
    [
        build_table(NUMBERS, va=pa.uint64(), value=pa.uint64()),
        build_table(NUMBERS, va=pa.uint64(), value=pa.uint64(), ts=pa.int8(), pages=pa.int16(),
                    ipa=pa.uint32(), kind=pa.large_string(), to_el=pa.uint64(),
                    tables=pa.large_list(pa.int64())),
        build_table([e | ({"va": hex(e["va"])} if "va" in e else {}) for e in NUMBERS],
                    value=pa.uint64(), kind=pa.dictionary(pa.int8(), pa.string())),
        FROM_JSON,
    ],
    ids=["plain", "odd widths", "hex strings", "our own"],
)  # fmt: skip
def test_arrow_equals_json(build, format_: str, table: pa.Table) -> None:
    recording = read_bytes(build(table))
    assert recording.format == format_
    assert recording.events.equals(FROM_JSON)


def test_arrow_missing_and_unknown_columns() -> None:
    table = build_table(
        [{"ts": 3, "kind": "exception", "note": 1.5}, {"ts": 2, "kind": "exception"}]
    )
    recording = read_bytes(build_parquet(table))
    assert recording.events["ts"].to_pylist() == [2, 3]
    assert recording.events["row"].to_pylist() == [1, 0]
    assert recording.quality.counts == {"events_out_of_order": 1}


def test_arrow_values_in_fields_that_a_kind_lacks_are_ignored() -> None:
    table = build_table([{"ts": 1, "kind": "exception", "va": "", "bytes": -1, "reg": "x"}])
    row = read_bytes(build_parquet(table)).events.to_pylist()[0]
    assert {k for k, v in row.items() if v is not None} == {"ts", "kind", "vm", "vcpu", "row"}


GOOD = {"ts": 1, "kind": "eret", "to_el": 1}


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        ({"ts": 1, "kind": "boom"}, "kind 'boom' is not one of"),
        ({"ts": 1}, "kind is missing"),
        ({"kind": "exception"}, "ts is missing"),
        ({"ts": 1, "kind": "eret", "to_el": 2}, "to_el 2 is not from 0 to 1"),
        ({"ts": 1, "kind": "eret"}, "to_el of eret is missing"),
        ({"ts": 1, "kind": "stage1_unmap", "va": -4096, "pages": 1}, "va -4096 is not from 0 to 2^64 - 1"),
        ({"ts": 1, "kind": "stage1_map", "va": 0, "ipa": 0, "pages": 1, "tables": [1, None]},
         "tables None is not an integer"),
        ({"ts": 1, "kind": "stage2_map", "ipa": "0x1g", "pages": 1}, "ipa '0x1g' is not an integer"),
        ({"ts": 1, "kind": "exception", "vm": 1 << 40}, "vm 1099511627776 is not from"),
        ({"ts": 1, "kind": "session"}, "a session line can only be the first line"),
    ],
)  # fmt: skip
def test_arrow_wrong_row(event: dict, cause: str) -> None:
    text = error_of(build_table([GOOD, GOOD, event, GOOD]))
    assert text.startswith("event log: row 2: ")
    assert cause in text


@pytest.mark.parametrize(
    ("table", "cause"),
    [
        (build_table([GOOD | {"ts": 1.5}]), 'column ts is of type double, neither integers nor strings'),
        (build_table([GOOD | {"to_el": True}]), "column to_el is of type bool, neither"),
        (build_table([GOOD | {"kind": 7}]), "column kind is of type int64, not strings"),
        (build_table([GOOD | {"writable": 1}]), "column writable is of type int64, not booleans"),
        (build_table([GOOD | {"tables": 1}]), "column tables is of type int64, not lists"),
        (build_table([{"a": 1}]), "has no columns ts and kind, but a"),
    ],
)  # fmt: skip
def test_arrow_wrong_columns(table: pa.Table, cause: str) -> None:
    assert f"event log: {cause}" in error_of(table)


def test_arrow_without_rows() -> None:
    assert read_bytes(build_arrow(build_table([GOOD]).slice(0, 0))).events.num_rows == 0


def test_arrow_bomb_of_rows() -> None:
    rows = 1 << 27
    table = pa.table({"ts": pa.nulls(rows), "kind": pa.nulls(rows)})
    with pytest.raises(InputError, match="more than 64 rows for each of its"):
        read_bytes(build_arrow(table))
