"""Events: every bit's name, and expressions that equal the functions."""

from __future__ import annotations

import polars as pl
import pytest
from arm import midrs
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace import arm

NAMES = {
    0: "EXCEPTION-GEN",
    1: "RETIRED",
    2: "L1D-ACCESS",
    3: "L1D-REFILL",
    4: "TLB-ACCESS",
    5: "TLB-REFILL",
    6: "NOT-TAKEN",
    7: "MISPRED",
    8: "LLC-ACCESS",
    9: "LLC-REFILL",
    10: "REMOTE-ACCESS",
    11: "ALIGNMENT",
    16: "TXN",
    17: "SVE-PARTIAL-PRED",
    18: "SVE-EMPTY-PRED",
    19: "L2D-ACCESS",
    20: "L2D-MISS",
    21: "HITM",
    22: "LFB",
    23: "SNOOPED",
    24: "STREAMING-SVE",
    25: "SMCU",
}
BIT = {
    arm.exception_generated: 0,
    arm.retired: 1,
    arm.l1d_miss: 3,
    arm.tlb_walk: 5,
    arm.not_taken: 6,
    arm.mispredicted: 7,
    arm.llc_miss: 9,
    arm.remote_access: 10,
    arm.misaligned: 11,
    arm.l2d_miss: 20,
}
ACCESS_AND_MISS = {
    arm.l1d_hit: (2, 3),
    arm.tlb_hit: (4, 5),
    arm.llc_hit: (8, 9),
    arm.l2d_hit: (19, 20),
}


def column(values: list[int | None]) -> pl.DataFrame:
    return pl.DataFrame({"events": values}, {"events": pl.UInt64})


def evaluated(expression: pl.Expr, events: list[int | None]) -> list[object]:
    return column(events).select(x=expression)["x"].to_list()


@pytest.mark.parametrize("bit", range(64))
def test_bit_has_its_name(bit: int) -> None:
    name = NAMES.get(bit, f"IMPDEF:{bit}")
    assert arm.event_names(1 << bit) == [name]
    assert arm.event_names(1 << bit, midrs.KUNPENG_920) == [name]
    assert arm.event_names(1 << bit, midrs.NEOVERSE_N1) == ["LATE-PREFETCH" if bit == 12 else name]


@pytest.mark.parametrize(
    ("events", "names"),
    [
        (0, []),
        (0x0016, ["RETIRED", "L1D-ACCESS", "TLB-ACCESS"]),
        (0x0712, ["RETIRED", "TLB-ACCESS", "LLC-ACCESS", "LLC-REFILL", "REMOTE-ACCESS"]),
        (0x0006_0082, ["RETIRED", "MISPRED", "SVE-PARTIAL-PRED", "SVE-EMPTY-PRED"]),
        (0x0400_0000_0008_1002, ["RETIRED", "L2D-ACCESS", "IMPDEF:12", "IMPDEF:58"]),
    ],
)
def test_names_come_in_perfs_order(events: int, names: list[str]) -> None:
    assert arm.event_names(events) == names
    assert evaluated(arm.events_named(), [events]) == [names]


@pytest.mark.parametrize("midr", [None, midrs.NEOVERSE_N1, midrs.KUNPENG_920])
def test_expression_names_every_bit_as_the_function(midr: int | None) -> None:
    events = [None, 0, (1 << 64) - 1, *(1 << bit for bit in range(64))]
    expected = [None if e is None else arm.event_names(e, midr) for e in events]
    assert evaluated(arm.events_named(midrs=midr), events) == expected


@given(
    st.lists(st.integers(0, (1 << 64) - 1), max_size=40), st.sampled_from([None, midrs.NEOVERSE_N1])
)
@settings(deadline=None, max_examples=40)
def test_expression_names_any_events_as_the_function(events: list[int], midr: int | None) -> None:
    named = evaluated(arm.events_named(midrs=midr), [*events])
    assert named == [arm.event_names(e, midr) for e in events]


def test_events_are_named_by_the_records_cpu() -> None:
    frame = pl.DataFrame({"cpu": [0, 1, 2, None], "events": [1 << 12] * 4}).cast(
        {"cpu": pl.Int32, "events": pl.UInt64}
    )
    by_cpu = {0: midrs.NEOVERSE_N1, 1: midrs.NEOVERSE_V1, 1 << 40: midrs.NEOVERSE_N1}
    named = frame.select(x=arm.events_named(midrs=by_cpu))["x"].to_list()
    assert named == [["LATE-PREFETCH"], ["IMPDEF:12"], ["IMPDEF:12"], ["IMPDEF:12"]]
    others_n1 = {0: midrs.NEOVERSE_V1, None: midrs.NEOVERSE_N1}
    named = frame.select(x=arm.events_named(midrs=others_n1))["x"].to_list()
    assert named == [["IMPDEF:12"], *[["LATE-PREFETCH"]] * 3]


def test_cpus_of_one_model_hold_for_records_without_a_cpu() -> None:
    frame = pl.DataFrame({"cpu": [None], "events": [1 << 12]}).cast(
        {"cpu": pl.Int32, "events": pl.UInt64}
    )
    alike = {0: midrs.NEOVERSE_N1, 1: midrs.NEOVERSE_N1}
    assert frame.select(x=arm.events_named(midrs=alike))["x"].to_list() == [["LATE-PREFETCH"]]
    assert frame.select(x=arm.events_named(midrs={}))["x"].to_list() == [["IMPDEF:12"]]


@pytest.mark.parametrize("expression", BIT, ids=lambda f: f.__name__)
def test_event_expression_reads_its_bit(expression) -> None:
    events = [1 << bit for bit in range(64)]
    expected = [bit == BIT[expression] for bit in range(64)]
    assert evaluated(expression(), [*events, None]) == [*expected, None]
    complement = [~e & (1 << 64) - 1 for e in events]
    assert evaluated(expression(), [*complement]) == [not e for e in expected]


@pytest.mark.parametrize("expression", ACCESS_AND_MISS, ids=lambda f: f.__name__)
def test_hit_is_an_access_without_a_miss(expression) -> None:
    access, miss = (1 << bit for bit in ACCESS_AND_MISS[expression])
    others = (1 << 64) - 1 & ~(access | miss)
    events = [0, access, miss, access | miss, others, others | access, None]
    assert evaluated(expression(), events) == [False, True, False, False, False, True, None]


def test_expression_takes_other_columns() -> None:
    frame = pl.DataFrame({"seen": [1 << 7, 0]}, {"seen": pl.UInt64})
    selected = frame.select(
        arm.mispredicted(pl.col("seen")), arm.events_named(pl.col("seen")).alias("n")
    )
    assert selected.rows() == [(True, ["MISPRED"]), (False, [])]
