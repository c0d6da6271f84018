"""Memory accesses: by data source, by events in their order, and expressions that equal it."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest
from arm import midrs

from spetrace import arm
from spetrace.arm import MemoryAccess

LOAD, STORE, BRANCH, OTHER = (1, 0x00), (1, 0x01), (2, 0x00), (0, 0x1E)
L1D_ACCESS, L1D_REFILL, LLC_ACCESS, LLC_REFILL, REMOTE = (1 << n for n in (2, 3, 8, 9, 10))
L2D_ACCESS, L2D_MISS, HITM, LFB, SNOOPED = (1 << n for n in range(19, 24))
SCHEMA = {
    "operation_class": pl.UInt8,
    "operation_payload": pl.UInt8,
    "events": pl.UInt64,
    "data_source": pl.UInt16,
    "cpu": pl.Int32,
}
EXPRESSIONS = {
    "level": arm.memory_level,
    "hit": arm.memory_hit,
    "snoop": arm.memory_snoop,
    "peer": arm.memory_peer,
    "remote": arm.memory_remote,
}


def level_and_hit(operation: tuple[int, int], events: int) -> tuple[str | None, bool | None]:
    access = arm.memory_access(*operation, events, None, midrs.KUNPENG_920)
    assert access is not None
    return access.level, access.hit


@pytest.mark.parametrize(
    ("events", "level", "hit"),
    [
        (L1D_ACCESS, "L1", True),
        (L1D_ACCESS | LFB | LLC_ACCESS | LLC_REFILL, "L1", True),
        (L1D_ACCESS | L1D_REFILL | LFB, "LFB", True),
        (LFB | L2D_ACCESS, "LFB", True),
        (L1D_ACCESS | L1D_REFILL | L2D_ACCESS | LLC_ACCESS, "L2", True),
        (L1D_ACCESS | L1D_REFILL | L2D_ACCESS | L2D_MISS | LLC_ACCESS, "L3", True),
        (L1D_ACCESS | L1D_REFILL | L2D_ACCESS | L2D_MISS | LLC_ACCESS | LLC_REFILL, "L3", False),
        (L1D_REFILL | LLC_REFILL, "L3", False),
        (L1D_ACCESS | L1D_REFILL | L2D_ACCESS | L2D_MISS, "L2", False),
        (L1D_ACCESS | L1D_REFILL, "L1", False),
        (L1D_REFILL, "L1", False),
        (0, None, None),
    ],
)
def test_load_without_a_source_takes_the_first_that_matches(events, level, hit) -> None:
    assert level_and_hit(LOAD, events) == (level, hit)


@pytest.mark.parametrize(
    ("events", "level", "hit"),
    [
        (L1D_ACCESS, "L1", True),
        (L1D_ACCESS | L1D_REFILL, "L1", False),
        (L1D_REFILL, "L1", False),
        (L1D_ACCESS | L2D_ACCESS, "L2", True),
        (L1D_ACCESS | L1D_REFILL | L2D_ACCESS | L2D_MISS, "L2", False),
        (L1D_ACCESS | L2D_ACCESS | L2D_MISS | LLC_ACCESS, "L3", True),
        (L1D_ACCESS | LLC_ACCESS | LLC_REFILL, "L3", False),
        (LLC_REFILL, "L3", False),
        (LFB, None, None),
        (0, None, None),
    ],
)
def test_store_takes_the_farthest_level_with_an_event(events, level, hit) -> None:
    assert level_and_hit(STORE, events) == (level, hit)


def test_data_source_comes_before_events() -> None:
    access = arm.memory_access(*LOAD, L1D_ACCESS, 0xE, midrs.NEOVERSE_N1)
    assert access == MemoryAccess("RAM", True, "NONE", False, False)


def test_events_say_what_the_data_source_does_not() -> None:
    events = L1D_ACCESS | SNOOPED | HITM | REMOTE
    access = arm.memory_access(*LOAD, events, 0x9, midrs.NEOVERSE_N1)
    assert access == MemoryAccess("L2", True, "HITM", True, True)
    access = arm.memory_access(*LOAD, SNOOPED, 0xB, midrs.NEOVERSE_N1)
    assert access == MemoryAccess("L3", True, "HIT", False, False)


@pytest.mark.parametrize("value", [None, 0x1])
def test_load_with_no_or_an_unknown_data_source_goes_by_events(value: int | None) -> None:
    access = arm.memory_access(*LOAD, L1D_ACCESS | L1D_REFILL | SNOOPED, value, midrs.NEOVERSE_N1)
    assert access == MemoryAccess("L1", False, "HIT", None, False)


def test_store_of_a_cpu_with_an_encoding_tells_nothing_but_remote() -> None:
    access = arm.memory_access(*STORE, L1D_ACCESS | SNOOPED, 0x0, midrs.NEOVERSE_N1)
    assert access == MemoryAccess(remote=False)


def test_store_of_an_unknown_cpu_goes_by_events() -> None:
    access = arm.memory_access(*STORE, L1D_ACCESS | SNOOPED | HITM | REMOTE, 0x0, None)
    assert access == MemoryAccess("L1", True, "HITM", None, True)


def test_record_without_events_tells_what_its_data_source_does() -> None:
    access = arm.memory_access(*LOAD, None, 0x8, midrs.NEOVERSE_N1)
    assert access == MemoryAccess("L2", True, "NONE", False, False)
    assert arm.memory_access(*LOAD, None, None, midrs.NEOVERSE_N1) == MemoryAccess()


@pytest.mark.parametrize("operation", [BRANCH, OTHER, (3, 0)])
def test_other_operations_have_no_memory_access(operation: tuple[int, int]) -> None:
    assert arm.memory_access(*operation, L1D_ACCESS, 0x0, midrs.NEOVERSE_N1) is None


def all_records() -> pl.DataFrame:
    """Loads, stores, branches and no operation x all event bits that count x all data sources."""
    bits = [L1D_ACCESS, L1D_REFILL, LLC_ACCESS, LLC_REFILL, REMOTE]
    bits += [L2D_ACCESS, L2D_MISS, HITM, LFB, SNOOPED]
    events = [None, *(sum(chosen) for chosen in product(*((0, bit) for bit in bits)))]
    sources = [None, *range(20), 0xFFFF]
    operations = [LOAD, STORE, BRANCH, (None, None)]
    rows = [(*o, e, s, 0) for o, e, s in product(operations, events, sources)]
    return pl.DataFrame(rows, SCHEMA, orient="row")


@pytest.mark.parametrize("table", midrs.OF_TABLE, ids=str)
def test_expressions_equal_the_function(table: str | None) -> None:
    midr = midrs.OF_TABLE[table]
    records = all_records()
    nothing = MemoryAccess()
    expected = [
        nothing if row[0] is None else arm.memory_access(*row[:4], midr) or nothing
        for row in records.iter_rows()
    ]
    ours = records.select(**{name: make(midr) for name, make in EXPRESSIONS.items()})
    assert ours.rows() == expected


def test_expressions_choose_by_the_records_cpu() -> None:
    rows = [(*LOAD, L1D_ACCESS | L1D_REFILL, 8, cpu) for cpu in (0, 1, 2, None)]
    records = pl.DataFrame(rows, SCHEMA, orient="row")
    by_cpu = {0: midrs.NEOVERSE_N1, 1: midrs.AMPERE1A, None: midrs.KUNPENG_920}
    chosen = records.select(arm.memory_level(by_cpu).alias("l"), arm.memory_hit(by_cpu).alias("h"))
    assert chosen.rows() == [("L2", True), ("L1", True), ("L1", False), ("L1", False)]
