"""Encodings by column: what the file holds, and that it reads back as it was."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from spetrace.report.atomic import write_table
from spetrace.report.encodings import encodings
from spetrace.tables.catalog import TABLES
from spetrace.tables.events import EVENTS
from spetrace.tables.spe_records import SPE_RECORDS


def test_rising_numbers_and_codes_are_kept_as_differences() -> None:
    chosen = encodings(SPE_RECORDS.schema)
    rising = {"aux_offset", "timestamp_ticks", "time_ns"}
    codes = {"pc_exception_level", "operation_class", "operation_payload"}
    assert set(chosen["column_encoding"]) == rising | codes
    assert set(encodings(EVENTS.schema)["column_encoding"]) == {"ts", "row", "vcpu"}
    assert not {"aux_offset", "va", "pa", *codes} & set(chosen["use_dictionary"])
    assert {"pc", "operation", "events"} <= set(chosen["use_dictionary"])


def test_every_table_can_be_written_and_read_back(tmp_path: Path) -> None:
    for name, table in TABLES.items():
        empty = table.empty()
        write_table(empty, tmp_path / "t.parquet")
        assert pq.read_table(tmp_path / "t.parquet").equals(empty), name


def test_values_are_the_same_after_reading(tmp_path: Path) -> None:
    columns = {
        "source": [0] * 3,
        "aux_offset": [0, 2**64 - 1, 64],
        "size_bytes": [64] * 3,
        "time_ns": [-(2**63), None, 2**63 - 1],
        "va": [2**64 - 1, None, 0],
    }
    table = SPE_RECORDS.from_columns(columns)
    write_table(table, tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").equals(table)
    group = pq.read_metadata(tmp_path / "t.parquet").row_group(0)
    by_name = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in by_name["time_ns"].encodings
    assert by_name["time_ns"].compression == "ZSTD"
    assert by_name["time_ns"].statistics.min == -(2**63)
