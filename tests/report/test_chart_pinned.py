from __future__ import annotations

import numpy as np
import pyarrow as pa
from runs import counters, run_of

from spetrace.report.charts import pinned_over_time
from spetrace.report.charts.pinned_lines import POINTS_MAX, pinned_parts
from spetrace.tables.results import PINNED
from spetrace.tables.run import Run


def run_with(rows: list[tuple[str, int, int, int]], strategies: str, vms: int = 1) -> Run:
    values = counters(captured=1)
    result = {"vms": {str(vm): values for vm in range(vms)}, "total": values}
    run = run_of(dict.fromkeys(strategies.split(), result), span_ns=[0, 1_000_000_000])
    run.pinned = PINNED.from_rows(rows)
    return run


def test_lines_run_from_nothing_at_the_start_to_the_end() -> None:
    chart = pinned_over_time(run_with([("a", 0, 250_000_000, 4096)], "a"))
    assert chart is not None
    (line,) = chart.traces
    assert line["x"] == [0, 0.25, 1.0]
    assert line["text"] == ["0", "4 KiB", "4 KiB"]
    assert line["line"]["shape"] == "hv"


def test_total_over_vms_is_the_sum_at_each_moment() -> None:
    rows = [("a", 1, 30, 8192), ("a", 0, 10, 4096), ("a", 1, 20, 4096), ("a", 0, 30, 0)]
    parts = pinned_parts(run_with(rows, "a", vms=2))
    assert [part.title for part in parts] == ["All VMs", "VM 0", "VM 1"]
    total = parts[0].lines[0]
    assert total.times_ns.tolist() == [10, 20, 30]
    assert total.pinned_bytes.tolist() == [4096, 8192, 8192]
    assert parts[1].lines[0].pinned_bytes.tolist() == [4096, 0]


def test_vms_can_be_chosen() -> None:
    chart = pinned_over_time(run_with([("a", 0, 10, 4096), ("a", 1, 20, 4096)], "a b", vms=2))
    assert chart is not None
    assert [choice.label for choice in chart.choices] == ["All VMs", "VM 0", "VM 1"]
    assert [choice.traces for choice in chart.choices] == [(0, 1), (2, 3), (4, 5)]


def test_same_lines_are_drawn_once_and_said_to_be_the_same() -> None:
    rows = [("a", 0, 10, 4096), ("b", 0, 10, 4096), ("c", 0, 10, 8192)]
    chart = pinned_over_time(run_with(rows, "a b c d"))
    assert chart is not None
    assert [trace["name"] for trace in chart.traces] == ["a, b", "c", "d"]
    assert "One line each stands for a and b." in chart.caption


def test_nothing_pinned_no_chart() -> None:
    assert pinned_over_time(run_with([], "a b")) is None


def test_many_changes_are_reduced_to_their_envelope_and_it_is_said() -> None:
    run = run_with([], "a b")
    count = 400_000
    pages = np.abs(np.cumsum(np.random.default_rng(1).integers(-1, 2, count)))
    run.pinned = PINNED.from_columns(
        {
            "strategy": pa.array(["a"] * count),
            "vm": pa.array(np.zeros(count), pa.uint16()),
            "ts": pa.array(np.arange(count) * 2000),
            "pinned_bytes": pa.array(pages * 4096),
        }
    )
    line = pinned_parts(run)[0].lines[0]
    assert len(line.times_ns) <= POINTS_MAX
    assert line.changes == count
    assert line.pinned_bytes.max() == pages.max() * 4096
    chart = pinned_over_time(run)
    assert chart is not None
    assert f"{len(line.times_ns):,} of 400,000 changes drawn" in chart.caption
