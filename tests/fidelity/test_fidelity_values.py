"""Values of table fidelity: worked out by hand, and by the definitions over lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_fidelity import compared, latencies, places, plain_distance, plain_percentile

from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import distribution
from spetrace.fidelity.survival import EVERY, NOT_REPLAYED
from spetrace.fidelity.tally import Tallying
from spetrace.tables.fidelity import FIDELITY


def test_distance_worked_out_by_hand() -> None:
    # All: 4 a, 2 b, 2 c, one without. Left: 1 a, 2 b, 1 c: |1/4-4/8| + |2/4-2/8| + |1/4-2/8| = 1/2.
    values = [10, 10, 10, 10, 20, 20, 30, 30, None]
    survives = [True, False, False, False, True, True, True, False, True]
    (row,) = compared([places(values)], survives)
    assert row["value"] == pytest.approx(0.25)
    assert (row["records"], row["surviving"]) == (8, 4)
    assert (row["strategy"], row["measure"], row["basis"]) == ("one", "pc", "functions")


def test_latency_shift_worked_out_by_hand() -> None:
    # All: 1..100, p50 is 50, p99 is 99. Left: 1..50 and 100, p50 is the 26th, p99 the 51st.
    survives = [value <= 50 or value == 100 for value in range(1, 101)]
    p50, p99 = compared([latencies(list(range(1, 101)))], survives)
    assert (p50["measure"], p50["value"], p50["unit"]) == ("latency_p50", 26 - 50, "cycles")
    assert (p99["measure"], p99["value"]) == ("latency_p99", 100 - 99)
    assert p50["is_skewed"] is True


def test_none_survives_is_null() -> None:
    for row in compared([places([1, 2, None]), latencies([5, 6, 7])], [False] * 3):
        assert row["surviving"] == 0
        assert [row[n] for n in ("value", "noise_p50", "noise_p95", "is_skewed")] == [None] * 4


def test_measure_that_no_record_has() -> None:
    (row,) = compared([places([None, None])], [True, False])
    assert (row["records"], row["surviving"], row["value"]) == (0, 0, None)


def test_records_that_were_not_replayed_count_for_bins_alone() -> None:
    tallying = Tallying()
    marked = [(EVERY, None), (NOT_REPLAYED, np.array([0, 3]))]
    tallying.add(np.array([7, 7, 8, 9]), np.zeros(1, np.int64), None, marked)
    tally = tallying.take()
    measure = distribution("pc", "functions", tally.values.astype(np.int64), tally.groups, most=2)
    table = build_fidelity([measure], {"s": NOT_REPLAYED})
    assert (table["records"].to_pylist(), table["surviving"].to_pylist()) == ([2], [2])
    assert measure.counts(EVERY).tolist() == [2, 2]
    assert measure.counts(NOT_REPLAYED).tolist() == [1, 1]
    assert table.schema == FIDELITY.schema


def test_rare_values_share_the_last_bin() -> None:
    measure = places([1, 1, 1, 2, 2, 3, 4, 5], most=3)
    assert measure.counts().tolist() == [3, 2, 3]
    assert places([5, 4, 4, 9], most=3).counts().tolist() == [2, 1, 1]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 6), st.none() | st.integers(0, 65535), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_values_equal_the_definitions(records: list[tuple[int | None, int | None, bool]]) -> None:
    codes, cycles, survives = zip(*records, strict=True)
    found = {row["measure"]: row for row in compared([places(codes), latencies(cycles)], survives)}
    for values, names in ((codes, ["pc"]), (cycles, ["latency_p50", "latency_p99"])):
        every = [v for v in values if v is not None]
        left = [v for v, alive in zip(values, survives, strict=True) if alive and v is not None]
        for name in names:
            row = found[name]
            assert (row["records"], row["surviving"]) == (len(every), len(left))
            if not left:
                assert row["value"] is None
            elif name == "pc":
                assert row["value"] == pytest.approx(float(plain_distance(left, every)), abs=1e-12)
            else:
                percent = int(name[-2:])
                want = plain_percentile(percent, left) - plain_percentile(percent, every)
                assert row["value"] == want


@settings(deadline=None, max_examples=30)
@given(st.lists(st.none() | st.integers(0, 900), min_size=1, max_size=80))
def test_no_loss_is_no_distance(values: list[int | None]) -> None:
    for row in compared([places(values), latencies(values)], [True] * len(values)):
        if row["records"]:
            assert (row["value"], row["noise_p50"], row["noise_p95"]) == (0, 0, 0)
            assert row["is_skewed"] is False
