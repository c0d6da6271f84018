"""One test over all formats: each shows each strategy with what the comparison holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from runs import full_run, run_of, small_run

from spetrace.report.comparison import Comparison, compare
from spetrace.report.html import render_html
from spetrace.report.json_report import render_json
from spetrace.report.mail import WIDTH, render_mail
from spetrace.report.terminal import render_terminal
from spetrace.tables.results import COUNTERS
from spetrace.tables.run import Run

CELL = r"(?:-|[<>]?[\d.,]+(?: (?:[num]?s|B|[KMGT]iB))?)"
CAPTURES = (
    "captures/spe-synthetic/n1.expected-replay.json",
    "captures/kvm/08-churn-lkvm/expected-replay.json",
)


def terminal_text(comparison: Comparison, width: int) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(render_terminal(comparison))
    return console.file.getvalue()


class FigureRows(HTMLParser):
    """The cells of the rows of the tables of figures, and the exact values in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.exact: list[int] = []
        self.inside = self.in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "table":
            self.inside = "figures" in (named.get("class") or "").split()
        elif tag == "tr" and self.inside:
            self.rows.append([])
        elif tag in ("th", "td") and self.inside:
            self.rows[-1].append("")
            self.in_cell = True
        elif tag == "data":
            self.exact.append(int(named["value"] or ""))

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data


def rows_of_text(text: str, comparison: Comparison) -> dict[str, list[str]]:
    """Per strategy the cells of all its lines in the tables."""
    rows: dict[str, list[str]] = {}
    for strategy in comparison.strategies:
        line = re.compile(rf"^{re.escape(strategy.label)} +({CELL}(?: +{CELL})*) *$", re.MULTILINE)
        rows[strategy.name] = [
            cell for found in line.finditer(text) for cell in re.findall(CELL, found[1])
        ]
    return rows


def rows_of_html(text: str, comparison: Comparison) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {strategy.name: [] for strategy in comparison.strategies}
    for head, *cells in FigureRows(text).rows:
        name = re.sub(" (upper|lower) bound$", "", head)
        if name in rows:
            rows[name] += cells
    return rows


FORMATS: dict[str, Callable[[Comparison], dict[str, list[str]]]] = {
    "mail": lambda c: rows_of_text(render_mail(c), c),
    "terminal 80": lambda c: rows_of_text(terminal_text(c, 80), c),
    "terminal 140": lambda c: rows_of_text(terminal_text(c, 140), c),
    "terminal 300": lambda c: rows_of_text(terminal_text(c, 300), c),
    "html": lambda c: rows_of_html(render_html(c), c),
}


def cells_of(comparison: Comparison) -> dict[str, list[str]]:
    cells: dict[str, list[str]] = {strategy.name: [] for strategy in comparison.strategies}
    for scope in comparison.scopes:
        for group in scope.groups:
            for row in group.rows:
                cells[row.strategy] += [cell.text for cell in row.cells]
    return cells


def check_formats(run: Run) -> None:
    comparison = compare(run)
    assert list(cells_of(comparison)) == list(dict.fromkeys(run.results["strategy"].to_pylist()))
    for name, rows in FORMATS.items():
        assert rows(comparison) == cells_of(comparison), name
    check_mail(comparison)
    for width in (80, 140):
        lines = terminal_text(comparison, width).splitlines()
        assert max(map(len, lines)) <= width
        assert not any("…" in line for line in lines)
    check_json(run)


def check_mail(comparison: Comparison) -> None:
    mail = render_mail(comparison)
    assert mail.isascii()
    assert all(len(line) <= WIDTH for line in mail.splitlines())
    assert all(line == line.rstrip() for line in mail.splitlines())


def check_json(run: Run) -> None:
    report = json.loads(render_json(run))
    assert list(report) == [
        "version", "parameters", "assumptions", "quality", "strategies", "excluded", "fidelity",
    ]  # fmt: skip
    for row in run.results.to_pylist():
        result = report["strategies"][row["strategy"]]
        values = result["total"] if row["vm"] is None else result["vms"][str(row["vm"])]
        assert values == {name: int(row[name]) for name in COUNTERS}


@pytest.mark.parametrize("make", [small_run, full_run])
def test_formats_show_every_cell_of_a_run(make: Callable[[], Run]) -> None:
    check_formats(make())


def test_html_holds_the_exact_values() -> None:
    run = small_run()
    exact = set(FigureRows(render_html(compare(run))).exact)
    assert {300_000, 299_700, 149_540, 183_500_800, 1 << 30} <= exact


def test_formats_show_every_cell_of_the_scenarios(shared: Path) -> None:
    expected = sorted((shared / "scenarios").glob("*.expected.json"))
    assert expected
    for path in expected:
        check_formats(run_of(json.loads(path.read_bytes())))


@pytest.mark.parametrize("capture", CAPTURES)
def test_formats_show_every_cell_of_a_capture(shared: Path, capture: str) -> None:
    check_formats(run_of(json.loads((shared / capture).read_bytes())))


@pytest.mark.parametrize("capture", CAPTURES)
def test_json_strategies_are_the_expected_ones(shared: Path, capture: str) -> None:
    expected = json.loads((shared / capture).read_bytes())
    report = json.loads(render_json(run_of(expected)))
    assert report["strategies"] == expected


def test_formats_show_everything_of_the_basis() -> None:
    run = full_run()
    comparison = compare(run)
    texts = [render_mail(comparison), terminal_text(comparison, 100), render_html(comparison)]
    for text in texts:
        flat = " ".join(text.split())
        for word in ("n1.perf.data", "aux_truncated", "unknown_pgt_events", "FEAT_FGT",
                     "RLIMIT_MEMLOCK of the whole VM", "irq_ns 1000", "swap,migrate",
                     "spetrace replay n1.perf.data", "206 KiB", "45.2 s"):  # fmt: skip
            assert word in flat, word


def test_answer_stands_before_losses_assumptions_and_tables() -> None:
    comparison = compare(full_run())
    for text in (render_mail(comparison), terminal_text(comparison, 200)):
        places = [text.index(w) for w in ("strategies capture" if "strategies capture" in text else "captures", "Lost or odd", "Assumed", "Input", "Records", "Notes", "Left out")]  # fmt: skip
        assert places == sorted(places)


def test_json_names_all_assumptions() -> None:
    report = json.loads(render_json(small_run()))
    assert [each["name"] for each in report["assumptions"]] == ["aux_bytes", "costs", "pin_refuses"]
    assert all(set(each) == {"name", "value", "text"} for each in report["assumptions"])
