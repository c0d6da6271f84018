from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from cli.command import SAMPLES, Command

KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"
ASSUMED = ("--assume-spe", "period_ns=1000000", "--strategy", "map-on-fault")
MEASURED = ("vm_exit_ns", "map_page_ns", "sysreg_trap_ns")


def replayed(spetrace: Command, *words: str | Path) -> dict:
    result = spetrace("replay", *words, "--format", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_costs_are_toml_that_a_replay_reads(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("costs", KVM)
    assert result.code == 0, result.err
    costs = tomllib.loads(result.out)
    assert set(costs) == set(MEASURED)
    assert all(ns > 0 for ns in costs.values())
    assert "# n " in result.out
    (tmp_path / "costs.toml").write_text(result.out)
    by_file = replayed(spetrace, KVM, *ASSUMED, "--costs", tmp_path / "costs.toml")
    measured = replayed(spetrace, KVM, *ASSUMED, "--costs", "measured")
    assert by_file["parameters"]["costs"] == measured["parameters"]["costs"]
    assert costs.items() <= measured["parameters"]["costs"].items()
    assert by_file["strategies"] == measured["strategies"]


def test_overhead_is_charged_at_the_measured_costs(spetrace: Command) -> None:
    report = replayed(spetrace, KVM, *ASSUMED, "--no-buffer-touched", "--costs", "measured")
    costs = report["parameters"]["costs"]
    total = report["strategies"]["map-on-fault"]["total"]
    assert total["stage2_faults"] > 0
    assert (
        total["overhead_ns"]
        == total["stage2_faults"] * (costs["vm_exit_ns"] + costs["map_page_ns"])
        + total["stage1_walks"] * costs["walk_page_ns"]
    )


def test_cost_given_wins_and_all_bases_are_told(spetrace: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = replayed(
        spetrace, KVM, *ASSUMED, "--costs", "measured", "--cost", "vm_exit_ns=7", "-o", out
    )
    assert report["parameters"]["costs"]["vm_exit_ns"] == 7
    costs = {c["name"]: c for c in json.loads((out / "session.json").read_text())["costs"]}
    assert {name: c["ns"] for name, c in costs.items()} == report["parameters"]["costs"]
    assert costs["vm_exit_ns"]["basis"] == "given"
    assert costs["irq_ns"]["basis"] == "default"
    page = costs["map_page_ns"]
    assert page["basis"] == "measured"
    assert page["count"] > 0
    assert page["p50_ns"] <= page["p90_ns"] <= page["p99_ns"]
    assumed = {a["name"]: a for a in report["assumptions"]}
    assert assumed["costs.map_page_ns"]["value"] == str(page["ns"])
    assert f"n {page['count']:,}, p50 {page['p50_ns']:,} ns" in assumed["costs.map_page_ns"]["text"]
    assert assumed["costs"]["value"].startswith("irq_ns 1000, walk_page_ns 200")


@pytest.mark.parametrize("format_", ["table", "text"])
def test_reports_show_a_table_of_costs(spetrace: Command, format_: str) -> None:
    plain = spetrace("replay", KVM, *ASSUMED, "--format", format_)
    assert "Costs\n" not in plain.out
    measured = spetrace("replay", KVM, *ASSUMED, "--format", format_, "--costs", "measured")
    shown = measured.out[measured.out.index("Costs\n") :]
    rows: dict[str, list[str]] = {}
    for words in filter(None, map(str.split, shown.splitlines())):
        rows.setdefault(words[0], words)
    assert rows["cost"] == ["cost", "ns", "basis", "n", "p50", "p90", "p99"]
    assert rows["irq_ns"][1:] == ["1,000", "default", "-", "-", "-", "-"]
    assert rows["sysreg_trap_ns"][2] == "measured"


def test_page_shows_a_table_of_costs(spetrace: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert spetrace("replay", KVM, *ASSUMED, "--costs", "measured", "-o", out).code == 0
    page = (out / "report.html").read_text()
    assert "<h2>Costs</h2>" in page
    assert "<th scope=row>sysreg_trap_ns</th>" in page


def test_session_folder_gives_the_same_costs(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", KVM, *ASSUMED[:2], "-o", tmp_path / "session").code == 0
    strategy = ASSUMED[2:]
    again = replayed(spetrace, tmp_path / "session", *strategy, "--costs", "measured")
    once = replayed(spetrace, KVM, *ASSUMED, "--costs", "measured")
    assert again["parameters"]["costs"] == once["parameters"]["costs"]


def test_log_without_a_host_keeps_the_defaults_and_says_so(spetrace: Command) -> None:
    report = replayed(spetrace, LOG, "--costs", "measured")
    plain = replayed(spetrace, LOG)
    assert report["parameters"] == plain["parameters"]
    texts = {a["name"]: a["text"] for a in report["assumptions"]}
    assert texts["costs.map_page_ns"] == (
        "The default. No data abort that maps a page was recorded."
    )


def test_costs_of_what_holds_none_is_an_error(spetrace: Command) -> None:
    result = spetrace("costs", LOG)
    assert (result.code, result.out) == (4, "")
    assert "no cost to measure" in result.err


def test_bad_costs_file_is_an_error(spetrace: Command, tmp_path: Path) -> None:
    (tmp_path / "costs.toml").write_text("tea_ns = 1\n")
    result = spetrace("replay", LOG, "--costs", tmp_path / "costs.toml")
    assert result.code == 3
    assert "costs.toml: costs: tea_ns: no such cost; there are irq_ns, " in result.err
