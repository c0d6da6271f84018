from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.command import SAMPLES, Command

KNOWN = SAMPLES / "kvm-known-pages" / "trace.dat"
SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"


def as_json(spetrace: Command, *words: str | Path) -> dict:
    result = spetrace("kvm", *words, "--format", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_known_guest_is_shown(spetrace: Command) -> None:
    result = spetrace("kvm", KNOWN)
    assert result.code == 0, result.err
    text = " ".join(result.out.split())
    assert "865 exits" in text
    assert "105 stage-2 faults, 8 of them emulated accesses (MMIO)" in text
    for title in ("Exits by class", "Time in guest and host", "Stage-2 faults", "Mapped pages"):
        assert f"\n{title}\n" in result.out


def test_known_guests_faults_are_those_of_its_program(spetrace: Command) -> None:
    vm = as_json(spetrace, KNOWN)["vms"]["0"]
    served = [f for f in vm["faults"] if f["outcome"] == "served"]
    by_access = {a: sum(f["faults"] for f in served if f["access"] == a) for a in ("write", "read")}
    assert by_access == {"write": 64, "read": 32}
    assert vm["refaults"]["total"] == 0
    assert sum(e["exits"] for e in vm["exits"]) == 865


def test_folder_shows_what_its_recordings_show(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", KNOWN, "-o", tmp_path / "s").code == 0
    assert as_json(spetrace, tmp_path / "s") == as_json(spetrace, KNOWN)


def test_output_folder_holds_page_and_json(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("kvm", KNOWN, "-o", tmp_path / "out", "--format", "json")
    assert result.code == 0, result.err
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"kvm.html", "kvm.json"}
    assert (tmp_path / "out" / "kvm.json").read_text() == result.out
    assert "<h2>Exits by class</h2>" in (tmp_path / "out" / "kvm.html").read_text()


def test_check_compares_probes_and_tracepoints(spetrace: Command) -> None:
    words = (KNOWN, "--check-inference", "--assume-spe", "period_ns=100000")
    report = as_json(spetrace, *words)
    ways = report["inference"]["0"]
    assert list(ways) == ["probes", "tracepoints", "infer-read-only"]
    assert ways["probes"]["mapped_difference_max"] == 0
    strategies = {"inject-abort", "map-on-fault", "pin-on-enable"}
    assert all(set(way["counters"]) == strategies for way in ways.values())
    load = report["assumptions"][-1]
    assert (load["name"], load["value"].split(",")[0]) == ("assume-spe", "period_ns=100000")
    assert "Inference: replay of map-on-fault" in spetrace("kvm", *words).out


def test_inferred_stage_2_is_said(spetrace: Command) -> None:
    result = spetrace("kvm", KNOWN, "--stage2-from", "tracepoints", "--infer-read-only")
    text = " ".join(result.out.split())
    assert "Stage 2 of VM 0 was inferred from tracepoints" in text
    assert "infer-read-only = yes" in text
    replayed = spetrace("replay", KNOWN, "--assume-spe", "--stage2-from", "tracepoints",
                        "--strategy", "pin-vm")  # fmt: skip
    assert "stage2-from = tracepoints: VM 0's stage 2 is inferred" in replayed.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([SPE], 4),
        ([SPE, "--check-inference"], 2),
        ([SAMPLES], 2),
        ([SAMPLES / "none.dat"], 3),
        ([KNOWN, "--page-size", "5"], 2),
    ],
    ids=["no-kvm", "no-probes", "no-session-folder", "no-file", "page-size"],
)
def test_failures_are_one_sentence(spetrace: Command, words: list, code: int) -> None:
    result = spetrace("kvm", *words)
    assert result.code == code, result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_session_folder_stands_alone(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", KNOWN, "-o", tmp_path / "s").code == 0
    for words in (
        [tmp_path / "s", KNOWN], [tmp_path / "s", "--check-inference"],
        [tmp_path / "s", "-o", tmp_path / "s"],
    ):  # fmt: skip
        assert spetrace("kvm", *words).code == 2


@pytest.mark.parametrize("name", ["kvm_exits", "vm_state", "refaults", "stage2_faults"])
def test_damaged_session_folder_is_an_input_error(
    spetrace: Command, tmp_path: Path, name: str
) -> None:
    assert spetrace("ingest", KNOWN, "-o", tmp_path / "s").code == 0
    for content in (b"", b"PAR1 and no more", b"\xff" * 100):
        (tmp_path / "s" / f"{name}.parquet").write_bytes(content)
        result = spetrace("kvm", tmp_path / "s", "-o", tmp_path / "out")
        assert result.code == 3, (content, result.err)
        assert f"{name}.parquet" in result.err
        assert not (tmp_path / "out").exists()
