from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import ABOUT, counters, run_of, small_run

from spetrace.report.charts import pareto
from spetrace.report.charts.label_places import WIDTHS, Box, Point, place_labels
from spetrace.report.charts.standings import Standing, standings_of
from spetrace.tables.run import Run

PLACES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


def run_at(places: list[tuple[int, int]]) -> Run:
    """A run of strategies s0, s1 ... that pin so many pages and miss so many of 10 records."""
    rows = {
        f"s{n}": counters(captured=10 - missed, lost_fault=missed, pinned_bytes_peak=4096 * pages)
        for n, (pages, missed) in enumerate(places)
    }
    return run_of({name: {"vms": {"0": row}, "total": row} for name, row in rows.items()})


@given(PLACES)
@settings(deadline=None, max_examples=60)
def test_front_is_what_no_other_strategy_beats(places: list[tuple[int, int]]) -> None:
    kinds = {name: s.kind for s in standings_of(run_at(places)) for name in s.names}
    for number, (pages, missed) in enumerate(places):
        beaten = any(p <= pages and m <= missed and (p, m) != (pages, missed) for p, m in places)
        assert kinds[f"s{number}"] == ("dominated" if beaten else "front")


def test_bounds_stand_apart_from_the_front() -> None:
    found = {name: s for s in standings_of(small_run()) for name in s.names}
    assert {name: s.kind for name, s in found.items()} == {
        "bare-metal": "bound", "inject-abort": "bound", "map-on-fault": "front", "pin-vm": "front"
    }  # fmt: skip
    assert found["map-on-fault"].missed == 20
    assert found["pin-vm"].pinned_bytes == 1 << 30


def test_strategies_that_coincide_are_one_mark() -> None:
    found = standings_of(run_at([(1, 0), (1, 0), (1, 1)]))
    assert {s.names for s in found} == {("s0", "s1"), ("s2",)}


def test_chart_has_a_trace_per_kind_and_a_label_per_mark() -> None:
    chart = pareto(small_run())
    assert chart is not None
    assert [trace["name"] for trace in chart.traces] == ["Pareto front", "bound"]
    texts = [label["text"] for label in chart.layout["annotations"]]
    assert sorted(texts) == ["bare-metal", "inject-abort", "map-on-fault", "pin-vm"]
    front = chart.traces[0]
    assert front["x"][0] == 0
    assert front["x"] == sorted(front["x"])
    assert "map-on-fault and pin-vm" in chart.alt
    assert "299,980 captured (>99.9 %), 20 missed" in front["text"][0]


def test_top_of_the_axis_is_nothing_missed() -> None:
    chart = pareto(small_run())
    assert chart is not None
    axis: dict[str, Any] = chart.layout["yaxis"]
    assert axis["ticktext"][:3] == ["100 %", "0 %", "90 %"]
    assert axis["range"][0] > axis["range"][1]
    assert min(axis["tickvals"]) == axis["tickvals"][0] == 0


def test_no_records_no_chart() -> None:
    assert pareto(run_of({"a": {"vms": {}, "total": counters()}})) is None


def test_upper_bound_sets_what_can_be_captured() -> None:
    rows = {
        "bare-metal": counters(captured=90, lost_full=10),
        "map-on-fault": counters(captured=80, lost_full=10, lost_fault=10),
    }
    run = run_of({name: {"vms": {}, "total": row} for name, row in rows.items()})
    found = {s.names[0]: s.missed for s in standings_of(run)}
    assert ABOUT["bare-metal"]["bound"] == "upper"
    assert found == {"bare-metal": 0, "map-on-fault": 10}


def test_labels_of_a_usual_run_cover_neither_each_other_nor_marks() -> None:
    points = [
        Point(0.55, 0.1, ("pin-on-enable", "pin-on-arm", "pin-while-enabled", "trap-eret")),
        Point(0.05, 0.55, ("map-on-fault",)),
        Point(0.18, 0.55, ("pin-walk",)),
        Point(0.05, 0.1, ("bare-metal",)),
        Point(0.05, 0.9, ("inject-abort",)),
        Point(0.95, 0.1, ("pin-vm", "prefault-vm")),
        Point(0.55, 0.28, ("pin-on-first-fault",)),
    ]
    offsets = place_labels(points, [], 380)
    for width in WIDTHS:
        boxes = [_label(p, o, width) for p, o in zip(points, offsets, strict=True)]
        marks = [Box(p.x * width, p.y * 380, 6, 6) for p in points]
        assert all(a.overlap(b) == 0 for a, b in combinations(boxes, 2)), width
        assert all(box.overlap(mark) == 0 for box in boxes for mark in marks), width


def _label(point: Point, offset: tuple[int, int], width: int) -> Box:
    longest = max(map(len, point.lines))
    x, y = point.x * width + offset[0], point.y * 380 + offset[1]
    return Box(x, y, longest * 6.6 / 2, len(point.lines) * 15 / 2)


@pytest.mark.parametrize("names", [1, 6, 7, 20])
def test_label_of_many_strategies_is_cut(names: int) -> None:
    chart = pareto(run_at([(1, 0)] * names))
    assert chart is not None
    lines = chart.layout["annotations"][0]["text"].split("<br>")
    assert len(lines) == min(names, 6)
    assert (lines[-1] == f"and {names - 5} more") == (names > 6)


def test_standing_holds_both_ends_of_the_overhead() -> None:
    rows = {"a": counters(captured=1, overhead_ns=5), "b": counters(captured=1, setup_ns=9)}
    run = run_of({name: {"vms": {}, "total": row} for name, row in rows.items()})
    assert standings_of(run) == [Standing(("a", "b"), 1, 0, 0, (5, 9), True, "front")]
    chart = pareto(run)
    assert chart is not None
    assert chart.traces[0]["text"][0].endswith("<br>5 ns to 9 ns of overhead and setup")


def test_overhead_without_setup_is_called_that() -> None:
    row = counters(captured=1, overhead_ns=5)
    chart = pareto(run_of({"a": {"vms": {}, "total": row}}))
    assert chart is not None
    assert chart.traces[0]["text"][0].endswith("<br>5 ns of overhead")
