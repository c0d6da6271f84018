"""Every number that report.html shows in a table is the one of report.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opened import Opened

RESULTS = ("spe", "churn")
CELLS = """() => [...document.querySelectorAll('table[data-vm], #comparison')].flatMap((table) => {
  const heads = [...table.tHead.rows[0].cells];
  return [...table.tBodies[0].rows].flatMap((row) => [...row.cells].slice(1).map((cell, n) => {
    const shares = heads[n + 1].classList.contains('share');
    return {vm: table.dataset.vm || '', strategy: row.dataset.strategy, share: shares,
      counter: heads[shares ? n : n + 1].dataset.counter, text: cell.innerText.trim(),
      value: shares ? null : cell.querySelector('data').value};
  }));
})"""
FIDELITY = """() => [...document.querySelectorAll('#fidelity-table tbody tr')].map((row) =>
  [row.dataset.strategy, [...row.querySelectorAll('td')].map((cell) =>
    [cell.querySelector('data')?.value ?? null, cell.innerText.includes('skewed')])])"""
UNITS = {
    "": 1, "B": 1, "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
SHOWN = re.compile(r"([\d,]+(?:\.(\d+))?)(?: (\w+))?")


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


def expected(report: dict[str, Any], span_ns: int, cell: dict[str, Any]) -> int:
    own = report["strategies"][cell["strategy"]]
    counters = own["vms"][cell["vm"]] if cell["vm"] else own["total"]
    if cell["counter"] == "lost":
        return sum(counters[f"lost_{kind}"] for kind in ("fault", "blackout", "stopped", "full"))
    if cell["counter"] == "pinned_bytes_mean":
        return counters["pinned_byte_ns"] // span_ns
    return counters[cell["counter"]]


def check_text(text: str, value: int) -> None:
    """What is shown is the value, to the last digit that is shown."""
    found = SHOWN.fullmatch(text)
    assert found, text
    unit = UNITS[found[3] or ""]
    step = unit / 10 ** len(found[2] or "")
    assert abs(float(found[1].replace(",", "")) * unit - value) <= step / 2 + 1e-6, (text, value)


def check_share(text: str, value: int, records: int) -> None:
    percent = 100 * value / records
    if text in ("<0.1", ">99.9"):
        assert 0 < percent < 0.1 or 99.9 < percent < 100
    else:
        assert float(text) == pytest.approx(percent, abs=0.0501)
        assert (text in ("0", "100")) == (percent in (0, 100))


@pytest.mark.parametrize("name", RESULTS)
def test_every_number_of_the_tables_is_in_report_json(
    open_page: Callable[..., Opened], report_folder: Callable[[str], Path], name: str
) -> None:
    report = report_of(report_folder(name))
    begin, end = json.loads((report_folder(name) / "session.json").read_text())["span_ns"]
    cells = open_page(f"{name}/report.html").ask(CELLS)
    assert len(cells) > 14 * 20
    assert {c["strategy"] for c in cells} == set(report["strategies"])
    for cell in cells:
        value = expected(report, end - begin, cell)
        if cell["text"] == "-":
            assert cell["strategy"] == "bare-metal"
            assert value == 0
        elif cell["share"]:
            check_share(cell["text"], value, expected(report, 1, cell | {"counter": "records"}))
        else:
            assert int(cell["value"]) == value, cell
            check_text(cell["text"], value)


def test_every_number_of_fidelity_is_in_report_json(
    open_page: Callable[..., Opened], report_folder: Callable[[str], Path]
) -> None:
    rows = report_of(report_folder("spe"))["fidelity"]
    shown = open_page("spe/report.html").ask(FIDELITY)
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    assert len(shown) >= 3
    for strategy, cells in shown:
        own = {row["measure"]: row for row in rows if row["strategy"] == strategy}
        assert len(cells) == len(measures)
        for measure, (value, is_skewed) in zip(measures, cells, strict=True):
            assert (None if value is None else float(value)) == own[measure]["value"]
            assert is_skewed == bool(own[measure]["is_skewed"])


@pytest.mark.parametrize("name", RESULTS)
def test_bars_of_outcomes_are_the_counters_of_report_json(
    open_page: Callable[..., Opened], report_folder: Callable[[str], Path], name: str
) -> None:
    strategies = report_of(report_folder(name))["strategies"]
    bars = open_page(f"{name}/report.html").ask(
        "() => Object.fromEntries(document.getElementById('outcomes').data.map((t) =>"
        " [t.name, Object.fromEntries(t.y.map((y, n) => [y, t.x[n]]))]))"
    )
    captured = next(values for key, values in bars.items() if key.startswith("captured"))
    assert len(captured) == len(strategies)
    for label, percent in captured.items():
        total = strategies[label.split(" [")[0]]["total"]
        assert percent == pytest.approx(100 * total["captured"] / total["records"], abs=0.01)
