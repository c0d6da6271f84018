"""Data sources: every row of the encodings, and the expression that equals the function."""

from __future__ import annotations

import polars as pl
import pytest
from arm import midrs

from spetrace import arm
from spetrace.arm.data_source import data_source

# Encoding, value, name, level, hit, snoop, peer, remote.
ROWS = [
    ("common", 0x0, "L1D", "L1", True, "NONE", False, False),
    ("common", 0x8, "L2", "L2", True, "NONE", False, False),
    ("common", 0x9, "PEER-CORE", "L2", True, None, True, False),
    ("common", 0xA, "LOCAL-CLUSTER", "L3", True, None, True, False),
    ("common", 0xB, "SYS-CACHE", "L3", True, "HIT", False, False),
    ("common", 0xC, "PEER-CLUSTER", "L3", True, None, True, False),
    ("common", 0xD, "REMOTE", None, None, None, True, True),
    ("common", 0xE, "DRAM", "RAM", True, "NONE", False, False),
    ("ampereone", 0x0, "LOCAL-CHIP-CACHE-OR-DEVICE", "L2", True, None, True, False),
    ("ampereone", 0x3, "SLC", "L3", True, "HIT", False, False),
    ("ampereone", 0x5, "REMOTE-CHIP-CACHE", None, None, None, True, True),
    ("ampereone", 0x7, "DDR", "RAM", True, "NONE", False, False),
    ("ampereone", 0x8, "L1D", "L1", True, "NONE", False, False),
    ("ampereone", 0x9, "L2D", "L2", True, "NONE", False, False),
    ("hisilicon", 0, "PEER-CPU", "L2", True, None, True, False),
    ("hisilicon", 1, "PEER-CPU-HITM", "L2", True, "HITM", True, False),
    ("hisilicon", 2, "L3", "L3", True, "HIT", False, False),
    ("hisilicon", 3, "L3-HITM", "L3", True, "HITM", False, False),
    ("hisilicon", 4, "PEER-CLUSTER", "L3", True, None, True, False),
    ("hisilicon", 5, "PEER-CLUSTER-HITM", "L3", True, "HITM", True, False),
    ("hisilicon", 6, "REMOTE-SOCKET", "ANY-CACHE", None, None, True, True),
    ("hisilicon", 7, "REMOTE-SOCKET-HITM", "ANY-CACHE", None, "HITM", True, True),
    ("hisilicon", 8, "LOCAL-MEM", "RAM", True, "NONE", False, False),
    ("hisilicon", 9, "REMOTE-MEM", "RAM", True, None, False, True),
    ("hisilicon", 13, "NC-DEV", "IO", True, "NONE", False, False),
    ("hisilicon", 16, "L2", "L2", True, "NONE", False, False),
    ("hisilicon", 17, "L2-HITM", "L2", True, "HITM", False, False),
    ("hisilicon", 18, "L1", "L1", True, "NONE", False, False),
]
ALL_VALUES = range(1 << 16)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[2]}")
def test_value_means_what_its_table_row_says(row) -> None:
    table, value, name, *meaning = row
    midr = midrs.OF_TABLE[table]
    assert arm.data_source_table(midr) == table
    assert arm.data_source_name(value, midr) == name
    assert data_source(value, midr) == (name, *meaning)


@pytest.mark.parametrize("table", midrs.OF_TABLE, ids=str)
def test_all_other_values_have_no_meaning(table: str | None) -> None:
    midr = midrs.OF_TABLE[table]
    known = {value for of_table, value, *_ in ROWS if of_table == table}
    assert {v for v in ALL_VALUES if arm.data_source_name(v, midr) is not None} == known


@pytest.mark.parametrize("table", midrs.OF_TABLE, ids=str)
def test_expression_equals_the_function_for_all_values(table: str | None) -> None:
    midr = midrs.OF_TABLE[table]
    frame = pl.DataFrame({"data_source": [*ALL_VALUES, None]}, {"data_source": pl.UInt16})
    expected = [arm.data_source_name(value, midr) for value in ALL_VALUES]
    assert frame.select(x=arm.data_source_named(midr))["x"].to_list() == [*expected, None]


def test_data_source_is_named_by_the_records_cpu() -> None:
    frame = pl.DataFrame(
        {"cpu": [0, 1, 2, 3, None], "data_source": [8] * 5},
        {"cpu": pl.Int32, "data_source": pl.UInt16},
    )
    by_cpu = {
        0: midrs.NEOVERSE_N1,
        1: midrs.AMPERE1A,
        2: midrs.HISI_HIP12,
        3: midrs.CORTEX_A72,
        None: midrs.NEOVERSE_V1,
    }
    named = frame.select(x=arm.data_source_named(by_cpu))["x"].to_list()
    assert named == ["L2", "L1D", "LOCAL-MEM", None, "L2"]


def test_no_midr_gives_no_name() -> None:
    frame = pl.DataFrame({"data_source": [0, 8]}, {"data_source": pl.UInt16})
    assert frame.select(x=arm.data_source_named(None))["x"].to_list() == [None, None]
