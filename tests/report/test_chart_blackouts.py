from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from runs import counters, run_of

from spetrace.report.charts import blackout_lengths, blackout_timeline
from spetrace.report.charts.blackout_lengths import length_edges
from spetrace.report.charts.blackout_windows import BINS, LANES_MAX, WINDOWS_MAX, blackout_windows
from spetrace.report.charts.scales import TimeScale
from spetrace.tables.results import BLACKOUTS
from spetrace.tables.run import Run

SPAN = 1_000_000_000


def run_with(rows: list[tuple[str, int, int, int, int, str]]) -> Run:
    """A run of strategies a and b; rows are strategy, VM, vCPU, start, end, cause."""
    values = counters(captured=1)
    result = {"vms": {"0": values}, "total": values}
    run = run_of({"a": result, "b": result, "c": result}, span_ns=[0, SPAN])
    run.blackouts = BLACKOUTS.from_rows([(*row, None, None, 3) for row in rows])
    return run


def many(count: int, vcpus: int) -> Run:
    run = run_with([])
    rng = np.random.default_rng(1)
    starts = np.sort(rng.integers(0, SPAN - 2000, count))
    run.blackouts = BLACKOUTS.from_columns(
        {
            "strategy": pa.array(["a"] * count),
            "vm": pa.array(np.zeros(count), pa.uint16()),
            "vcpu": pa.array(rng.integers(0, vcpus, count), pa.uint16()),
            "start_ns": pa.array(starts),
            "end_ns": pa.array(starts + rng.integers(500, 2000, count)),
            "cause": pa.array(["fault"] * count),
            "records_lost": pa.array(np.ones(count), pa.uint64()),
        }
    )
    return run


def test_windows_stand_on_their_vcpus_line() -> None:
    run = run_with(
        [("a", 0, 1, 100_000_000, 200_000_000, "fault"), ("a", 0, 0, 0, 50_000_000, "drain")]
    )
    chart = blackout_timeline(run)
    assert chart is not None
    assert chart.layout["yaxis"]["ticktext"] == ["vCPU 0", "vCPU 1"]
    bars = {trace["name"]: trace for trace in chart.traces if trace["type"] == "bar"}
    assert (bars["fault"]["base"], bars["fault"]["x"], bars["fault"]["y"]) == ([0.1], [0.1], [1])
    assert (bars["drain"]["base"], bars["drain"]["x"], bars["drain"]["y"]) == ([0], [0.05], [0])
    assert "Without blackouts: b and c." in chart.caption
    assert chart.choices[0].note == "2 windows, 150 ms in all"


def test_strategies_are_chosen_the_darkest_first() -> None:
    run = run_with([("b", 0, 0, 0, 10, "fault"), ("a", 0, 0, 0, 9, "fault")])
    chart = blackout_timeline(run)
    assert chart is not None
    assert [choice.label for choice in chart.choices] == ["b", "a"]
    assert [choice.traces for choice in chart.choices] == [(0, 1), (2, 3)]


def test_vms_are_named_where_there_are_several() -> None:
    chart = blackout_timeline(run_with([("a", 3, 0, 0, 9, "fault"), ("a", 4, 1, 0, 9, "fault")]))
    assert chart is not None
    assert chart.layout["yaxis"]["ticktext"] == ["VM 3 vCPU 0", "VM 4 vCPU 1"]


def test_share_of_time_is_that_of_all_windows() -> None:
    run = many(50_000, 4)
    windows = blackout_windows(run, TimeScale(0, SPAN))
    assert windows is not None
    share = windows.strategies[0].share
    assert len(share) == BINS
    lengths = run.blackouts["end_ns"].to_numpy() - run.blackouts["start_ns"].to_numpy()
    assert share.mean() * SPAN * 4 == pytest.approx(lengths.sum(), rel=1e-6)
    assert (share >= -1e-9).all()


def test_many_windows_are_reduced_to_the_longest_and_it_is_said() -> None:
    run = many(100_000, 4)
    chart = blackout_timeline(run)
    assert chart is not None
    drawn = [n for trace in chart.traces if trace["type"] == "bar" for n in trace["x"]]
    assert len(drawn) == WINDOWS_MAX
    lengths = np.sort(run.blackouts["end_ns"].to_numpy() - run.blackouts["start_ns"].to_numpy())
    assert min(drawn) == pytest.approx(lengths[-WINDOWS_MAX] / 1e9, abs=1e-9)
    assert "9,000 of 100,000 windows drawn: the longest" in chart.caption
    assert len(json.dumps(chart.traces)) < 1_000_000


def test_many_vcpus_are_reduced_to_those_with_most_blackout_time() -> None:
    rows = [("a", 0, n, 0, 10 + n, "fault") for n in range(40)]
    chart = blackout_timeline(run_with(rows))
    assert chart is not None
    assert chart.layout["yaxis"]["ticktext"] == [f"vCPU {n}" for n in range(40 - LANES_MAX, 40)]
    assert "24 of 40 vCPUs have a line" in chart.caption


def test_no_windows_no_charts() -> None:
    assert blackout_timeline(run_with([])) is None
    assert blackout_lengths(run_with([])) is None


def test_histogram_counts_every_window_once() -> None:
    rows = [("a", 0, 0, 0, n, "fault") for n in (0, 1, 999, 1000, 1001, 10_000)]
    chart = blackout_lengths(run_with([*rows, ("b", 0, 0, 0, 1000, "fault")]))
    assert chart is not None
    counts = {t["name"]: sum(int(text) for text in t["text"]) for t in chart.traces}
    assert counts == {"a": 6, "b": 1}


@pytest.mark.parametrize("lengths", [[0], [1], [10**n for n in range(12)], [999, 1000]])
def test_edges_hold_all_lengths(lengths: list[int]) -> None:
    edges = length_edges([np.array(lengths, np.int64)])
    assert edges[0] <= max(1, min(lengths))
    assert edges[-1] > max(lengths)
    assert np.allclose(np.diff(np.log10(edges)), 1 / 8)
