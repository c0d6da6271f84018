from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.command import SAMPLES, Command

EVENTS = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"


@pytest.fixture
def before(spetrace: Command, tmp_path: Path) -> Path:
    """Results of the sample scenario."""
    assert spetrace("replay", EVENTS, "-o", tmp_path / "before").code == 0
    return tmp_path / "before"


@pytest.fixture
def after(spetrace: Command, tmp_path: Path) -> Path:
    """The same with costly walks, and too little memory to pin."""
    words = ("--cost", "walk_page_ns=70000", "--memlock-bytes", "4K")
    assert spetrace("replay", EVENTS, *words, "-o", tmp_path / "after").code == 0
    return tmp_path / "after"


def test_difference_is_that_of_the_reports(spetrace: Command, before: Path, after: Path) -> None:
    result = spetrace("compare", before, after, "--format", "json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    sides = [json.loads((folder / "report.json").read_text()) for folder in (before, after)]
    assert list(report["strategies"]) == list(sides[0]["strategies"])
    for name, counters in report["strategies"].items():
        a, b = (side["strategies"][name]["total"] for side in sides)
        assert {k: (v["a"], v["b"]) for k, v in counters.items() if k in a} == {
            k: (a[k], b[k]) for k in a
        }
        assert all(v["difference"] == v["b"] - v["a"] for v in counters.values())
    changes = {(c["section"], c["name"]): (c["a"], c["b"]) for c in report["basis"]}
    assert changes["cost", "walk_page_ns"] == ("200", "70000")
    assert changes["parameter", "memlock_bytes"] == ("none", "4096")


def test_what_differs_is_shown_before_the_counters(
    spetrace: Command, before: Path, after: Path
) -> None:
    for format_ in ("table", "text"):
        out = spetrace("compare", before, after, "--format", format_).out
        place = out.index("memlock_bytes")
        assert place < out.index("map-on-fault\n")
        assert "the same inputs, 14 strategies in both" in out


def test_strategies_of_one_only_are_said(spetrace: Command, before: Path, tmp_path: Path) -> None:
    words = ("--strategy", "pin-vm", "-o", tmp_path / "few")
    assert spetrace("replay", EVENTS, *words).code == 0
    out = spetrace("compare", before, tmp_path / "few").out
    assert "map-on-fault: only in A, not in B" in out
    assert "the same inputs, 3 strategies in both" in out


def test_condition_that_holds_fails(spetrace: Command, before: Path, after: Path) -> None:
    words = ("--fail-if", "captured<-1%", "--fail-if", "map-on-fault:overhead_ns>+10%")
    result = spetrace("compare", before, after, *words)
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "map-on-fault:overhead_ns>+10% holds for map-on-fault: overhead_ns" in result.err
    assert "FAILED map-on-fault:overhead_ns>+10%" in result.out


def test_condition_that_does_not_hold_passes(spetrace: Command, before: Path, after: Path) -> None:
    words = ("--fail-if", "captured>0", "--fail-if", "pin_vm:overhead_ns<0")
    result = spetrace("compare", before, before, *words)
    assert (result.code, result.err) == (0, "")
    assert spetrace("compare", before, after, "--fail-if", "map-on-fault:captured<-1%").code == 0


def test_folder_is_written_even_where_a_condition_holds(
    spetrace: Command, before: Path, after: Path, tmp_path: Path
) -> None:
    words = ("--fail-if", "overhead_ns!=0", "-o", tmp_path / "out", "--format", "json")
    result = spetrace("compare", before, after, *words)
    assert result.code == 1
    assert (tmp_path / "out" / "compare.json").read_text() == result.out
    assert json.loads(result.out)["failed"]
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".html", ".json", ".txt"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--fail-if", "capture<1"], 2, "no counter capture; there are stage2_faults"),
        (["--fail-if", "captured"], 2, "write COUNTER OP VALUE"),
        (["--fail-if", "pin-all:captured<1"], 2, "in both are: bare-metal, inject-abort"),
    ],
)
def test_malformed_conditions_are_usage_errors(
    spetrace: Command, before: Path, words: list[str], code: int, said: str
) -> None:
    result = spetrace("compare", before, before, *words)
    assert result.code == code
    assert said in result.err
    assert result.out == ""


def test_folder_without_results_is_an_input_error(
    spetrace: Command, before: Path, tmp_path: Path
) -> None:
    for other in (tmp_path, tmp_path / "none"):
        result = spetrace("compare", before, other)
        assert result.code == 3
        assert "results folder: " in result.err
