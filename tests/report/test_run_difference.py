"""Two runs side by side: every number against hand-made runs, and what each format shows of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console
from runs import counters, run_of, small_run

from spetrace.report.change_texts import render_change, render_ratio
from spetrace.report.run_difference import UNITS, CounterDifference, differ
from spetrace.report.run_difference_conditions import failures, parse_condition
from spetrace.report.run_difference_files import save_difference
from spetrace.report.run_difference_html import render_difference_html
from spetrace.report.run_difference_json import render_difference_json
from spetrace.report.run_difference_terminal import render_difference
from spetrace.report.run_difference_text import render_difference_text
from spetrace.report.run_fidelity_difference import FidelityDifference
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.results import COUNTERS
from spetrace.tables.run import Run


def run_with(**strategies: dict[str, int]) -> Run:
    """A run of strategies (map_on_fault is map-on-fault) with these counters."""
    results = {name.replace("_", "-"): counters(**given) for name, given in strategies.items()}
    return run_of({name: {"vms": {"0": row}, "total": row} for name, row in results.items()})


BEFORE = run_with(
    pin_vm={"captured": 1000, "pinned_bytes_peak": 1 << 30},
    map_on_fault={"captured": 900, "lost_fault": 100, "blackout_ns": 0, "overhead_ns": 4000},
    pin_walk={"captured": 1000},
)
AFTER = run_with(
    pin_vm={"captured": 1000, "pinned_bytes_peak": 1 << 30},
    map_on_fault={
        "captured": 850,
        "lost_fault": 150,
        "blackout_ns": 2_500_000,
        "overhead_ns": 1000,
    },
    pin_on_arm={"captured": 1000},
)


def test_every_counter_is_compared() -> None:
    difference = differ(BEFORE, AFTER)
    assert [s.name for s in difference.strategies] == ["pin-vm", "map-on-fault"]
    for strategy in difference.strategies:
        assert [c.counter for c in strategy.counters] == [*COUNTERS, "lost", "pinned_bytes_mean"]
    values = {c.counter: (c.a, c.b, c.difference) for c in difference.strategies[1].changed}
    assert values == {
        "captured": (900, 850, -50),
        "lost_fault": (100, 150, 50),
        "lost": (100, 150, 50),
        "blackout_ns": (0, 2_500_000, 2_500_000),
        "overhead_ns": (4000, 1000, -3000),
    }
    assert difference.unchanged == ("pin-vm",)


def test_ratios_and_percent_are_exact() -> None:
    captured = CounterDifference("captured", 900, 850)
    assert captured.ratio == Fraction(17, 18)
    assert captured.percent == Fraction(-50, 9)
    huge = CounterDifference("pinned_byte_ns", 2**70, 2**70 + 1)
    assert huge.ratio == Fraction(2**70 + 1, 2**70)


def test_zero_baseline_is_defined() -> None:
    grown = CounterDifference("blackouts", 0, 5)
    same = CounterDifference("blackouts", 0, 0)
    gone = CounterDifference("blackouts", 5, 0)
    assert (grown.percent, grown.ratio) == (None, None)
    assert (same.percent, same.ratio) == (0, None)
    assert (gone.percent, gone.ratio) == (-100, 0)
    assert grown.cells[-2:] == ("from 0", "-")
    assert gone.cells[-2:] == ("-100 %", "0")


def test_strategies_of_one_run_are_said_with_the_reason() -> None:
    after = run_with(pin_vm={"captured": 1})
    after.session["excluded"] = {"pin-walk": "needs FEAT_FGT"}
    only = dict(differ(BEFORE, after).only)
    assert only["pin-walk"] == "only in A, not in B, which left it out: needs FEAT_FGT"
    assert only["map-on-fault"] == "only in A, not in B"
    assert dict(differ(after, BEFORE).only)["map-on-fault"] == "only in B, not in A"


def test_what_differs_below_is_listed() -> None:
    inputs = [{"name": "x", "format": "perf.data", "size_bytes": 64, "sha256": "cd" * 32}]
    parameters = {
        "memory_bytes": 1 << 30, "memlock_bytes": 65536, "pin_refuses": "swap,migrate",
        "costs": {"irq_ns": 5000, "vm_exit_ns": 1000}, "vms": {"1": {"memory_bytes": 4096}},
    }  # fmt: skip
    other = small_run(
        inputs=inputs, parameters=parameters, excluded={}, versions={"spetrace": "0.2.0"},
        assumptions=[{"name": "aux_bytes", "value": "65536", "text": ""}], span_ns=[0, 10],
    )  # fmt: skip
    difference = differ(small_run(), other)
    assert "other inputs" in difference.title
    changes = {(c.section, c.name): (c.a, c.b) for c in difference.basis}
    assert changes == {
        ("input", "n1.perf.data"): ("perf.data, 206 KiB, sha256 abababababab", "-"),
        ("input", "x"): ("-", "perf.data, 64 B, sha256 cdcdcdcdcdcd"),
        ("recording", "span"): ("45.2 s", "10 ns"),
        ("parameter", "memlock_bytes"): ("none", "65536"),
        ("parameter", "vms.1.memory_bytes"): ("-", "4096"),
        ("cost", "irq_ns"): ("1000", "5000"),
        ("assumption", "aux_bytes"): ("4194304", "65536"),
        ("excluded", "trap-eret"): ("needs FEAT_FGT", "-"),
        ("version", "spetrace"): ("0.1.0", "0.2.0"),
    }


def test_same_bytes_under_another_name_are_the_same_input() -> None:
    moved = [
        {"name": "elsewhere", "format": "perf.data", "size_bytes": 210_944, "sha256": "ab" * 32}
    ]
    difference = differ(small_run(), small_run(inputs=moved))
    assert "the same inputs" in difference.title
    assert difference.basis == ()


def test_equal_runs_have_no_difference() -> None:
    difference = differ(small_run(), small_run())
    assert difference.answer == ("Every counter of every strategy is the same.",)
    assert (difference.basis, difference.changed, difference.only) == ((), (), ())


def test_answer_names_the_strategy_that_changes_most() -> None:
    first, *sentences = differ(BEFORE, AFTER).answer
    assert first == "1 of 2 strategies differ."
    assert "captured differs only for map-on-fault: 900 to 850 (-5.56 %)." in sentences
    assert "blackout_ns differs only for map-on-fault: 0 to 2.50 ms (from 0)." in sentences


def test_other_recordings_are_compared_by_share() -> None:
    a = run_with(pin_vm={"captured": 1000}, map_on_fault={"captured": 800, "lost_fault": 200})
    b = run_with(pin_vm={"captured": 10}, map_on_fault={"captured": 9, "lost_fault": 1})
    answer = differ(a, b).answer[1]
    assert answer.endswith("map-on-fault: 80.0 % and 90.0 %.")
    assert not any("sample records each" in text for text in differ(BEFORE, AFTER).answer)


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (Fraction(1, 1000), "+<0.01 %"), (Fraction(-1, 3), "-0.33 %"), (Fraction(995, 100), "+9.95 %"),
        (Fraction(100), "+100 %"), (Fraction(-461, 10), "-46.1 %"), (Fraction(585249, 100), "+5,852 %"),
        (Fraction(0), "0 %"), (None, "from 0"),
    ],
)  # fmt: skip
def test_changes_as_text(percent: Fraction | None, text: str) -> None:
    assert render_change(percent) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Fraction(1, 10_000), "<0.001"), (Fraction(2, 3), "0.667"), (Fraction(1), "1.000"),
        (Fraction(119, 2), "59.5"), (Fraction(12_345), "12,345"), (Fraction(0), "0"), (None, "-"),
    ],
)  # fmt: skip
def test_ratios_as_text(ratio: Fraction | None, text: str) -> None:
    assert render_ratio(ratio) == text


def test_json_is_exact() -> None:
    report = json.loads(render_difference_json(differ(BEFORE, AFTER, ("x/a", "x/b"))))
    assert (report["a"], report["b"], report["failed"]) == ("x/a", "x/b", [])
    assert list(report["strategies"]["pin-vm"]) == list(UNITS)
    assert report["strategies"]["map-on-fault"]["captured"] == {
        "a": 900, "b": 850, "difference": -50, "percent": -50 / 9, "ratio": 850 / 900,
    }  # fmt: skip
    grown = report["strategies"]["map-on-fault"]["blackout_ns"]
    assert (grown["percent"], grown["ratio"]) == (None, None)
    assert set(report["only"]) == {"pin-walk", "pin-on-arm"}


def fidelity(value: float | None, is_skewed: bool) -> pa.Table:
    """Table fidelity of map-on-fault: functions, and the shift of a percentile."""
    rows = [
        ("map-on-fault", "pc", "functions", "1", 10, 9, value, 0.1, 0.2, is_skewed),
        ("map-on-fault", "latency_p99", "cycles", "cycles", 10, 9, 3.0, 1.0, 2.0, True),
    ]
    return FIDELITY.from_rows(rows)


def test_fidelity_of_both_is_compared() -> None:
    a, b = (
        replace(BEFORE, fidelity=fidelity(0.125, False)),
        replace(AFTER, fidelity=fidelity(0.5, True)),
    )
    difference = differ(a, b)
    shifted, same = difference.fidelity
    assert (shifted.difference, same.difference) == (0.375, 0.0)
    assert difference.changed_fidelity == (shifted,)
    assert shifted.cells == ("map-on-fault", "pc", "0.1250", "0.5000 skewed", "+0.3750")
    assert same.cells[2:] == ("3 cycles skewed", "3 cycles skewed", "0 cycles")
    report = json.loads(render_difference_json(difference))["fidelity"]
    assert (report[0]["a"], report[0]["b"], report[0]["difference"]) == (0.125, 0.5, 0.375)
    for text in (render_difference_text(difference), render_difference_html(difference)):
        assert "Profile fidelity that differs" in text
        assert "0.5000 skewed" in text


def test_fidelity_without_survivors_is_absent() -> None:
    a, b = (
        replace(BEFORE, fidelity=fidelity(None, False)),
        replace(AFTER, fidelity=fidelity(0.5, True)),
    )
    first = differ(a, b).fidelity[0]
    assert first.difference is None
    assert first.cells[2:] == ("-", "0.5000 skewed", "-")
    assert differ(BEFORE, b).fidelity == ()


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_formats_show_the_same() -> None:
    """Each format has every cell of what differs, what failed, and what they rest on."""
    difference = differ(BEFORE, AFTER, ("a", "b"))
    failed = failures([parse_condition("captured<-1%")], difference)
    console = Console(width=100)
    with console.capture() as drawn:
        console.print(render_difference(difference, failed))
    parser = _Cells()
    parser.feed(render_difference_html(difference, failed))
    text = render_difference_text(difference, failed)
    for strategy in difference.changed:
        for counter in strategy.changed:
            name, a, b, signed, change, ratio = counter.cells
            row = rf"{name} +{re.escape(a)} +{re.escape(b)} +{re.escape(signed)}"
            assert re.search(rf"{row} +{re.escape(change)} +{re.escape(ratio)}", drawn.get())
            assert re.search(rf"{row} +{re.escape(ratio)}", text)
            assert {name, a, b, signed, change, ratio} <= set(parser.texts)
    for shown in (drawn.get(), " ".join(text.split()), " ".join(parser.texts)):
        assert failed[0].text in shown
        assert all(name in shown for name, _ in difference.only)
    assert all(len(line) <= 72 for line in text.splitlines())


def test_page_escapes_what_files_supply() -> None:
    hostile = "<script>alert(1)</script>"
    other = small_run(parameters={hostile: hostile}, excluded={hostile: hostile})
    page = render_difference_html(differ(small_run(), other, (hostile, hostile)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_folder_holds_the_three_formats(tmp_path: Path) -> None:
    save_difference(differ(BEFORE, AFTER), (), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"compare.html", "compare.json", "compare.txt"}
    assert json.loads((tmp_path / "compare.json").read_text())["version"] == 1


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(12345.0, "cycles", "12,345 cycles"), (-1.5, "cycles", "-1.5 cycles"), (0.25, "1", "0.2500")],
)
def test_fidelity_is_written_out(value: float, unit: str, text: str) -> None:
    difference = FidelityDifference("pin-vm", "pc", unit, value, None, False, None)
    assert difference.cells == ("pin-vm", "pc", text, "-", "-")
