from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders_perf_tracepoints import NOTE_EVENT, TRACED, entry, sample, traced, tracing_data
from cli.command import SAMPLES, Command

from spetrace.ingest.perf_data.abi import Feature

SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"


def test_facts_of_three_kinds(spetrace: Command) -> None:
    result = spetrace("info", SPE, KVM, LOG, "--format", "json")
    assert result.code == 0, result.err
    spe, kvm, log = json.loads(result.out)
    assert spe["spe"]["records"] == 3124
    assert [s["cpu"] for s in spe["spe"]["streams"]] == [0, 1]
    assert spe["cpus"] == [0, 1]
    assert spe["span_ns"][0] < spe["span_ns"][1]
    assert kvm["events"]["kvm_guest_fault"] == 105
    assert sum(kvm["events"].values()) == 5839
    assert (kvm["clock"], kvm["spe"], kvm["quality"]) == ("local", None, [])
    assert log["event_log"]["events"] == {
        "spe_record": 80, "stage1_map": 1, "stage2_unmap": 1, "sysreg_write": 6,
    }  # fmt: skip
    assert log["event_log"]["parameters"] == {"initial_stage2": "all"}
    assert (log["size_bytes"], log["span_ns"]) == (LOG.stat().st_size, [0, 16130])


def test_text_has_the_same_facts(spetrace: Command) -> None:
    out = spetrace("info", SPE, KVM, LOG).out
    for fact in ("3,124 records in 2 AUX streams", "5,839 events", "88 events", "CPUs", "(3.62 s)"):
        assert fact in out
    assert out.count("losses and oddities: none") == 3


def test_losses_are_shown_with_their_remedy(spetrace: Command, tmp_path: Path) -> None:
    cut = tmp_path / "cut.dat"
    cut.write_bytes(KVM.read_bytes()[:-2000])
    result = spetrace("info", cut)
    assert result.code == 0, result.err
    assert "data_loss" in result.out
    assert "remedy: " in result.out


def test_lines_are_broken_to_the_terminal(
    spetrace: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = tmp_path / "cut.dat"
    cut.write_bytes(KVM.read_bytes()[:-2000])
    monkeypatch.delenv("COLUMNS")
    whole = spetrace("info", cut, SPE).out
    monkeypatch.setenv("COLUMNS", "50")
    narrow = spetrace("info", cut, SPE).out
    assert max(map(len, whole.splitlines())) > 90
    assert max(len(line) for line in narrow.splitlines() if "/" not in line) <= 50
    assert narrow.split() == whole.split()
    assert "    CPU 0: 1,562 records, 99,968 bytes, 5 AUX\n           records\n" in narrow


def test_samples_of_perf_data_are_shown_by_event(spetrace: Command, tmp_path: Path) -> None:
    file = traced()
    del file.features[Feature.TRACING_DATA]
    file.attrs[1] = (file.attr(0, sample_type=TRACED, config=0), file.attrs[1][1])
    file.features[Feature.EVENT_DESC] = file.event_descriptions(["kvm:kvm_entry", "cycles"])
    file.records = [sample(file, entry(file, 1)), sample(file, b"", id_=NOTE_EVENT)]
    (tmp_path / "perf.data").write_bytes(file.build())
    out = spetrace("info", tmp_path / "perf.data").out
    assert "other samples, not decoded: 1 events\n    cycles " in out
    assert "1 perf_undecoded_samples: " in out
    assert "kvm:kvm_entry 1\n" in out
    file.features[Feature.TRACING_DATA] = tracing_data(file)
    (tmp_path / "perf.data").write_bytes(file.build())
    out = spetrace("info", tmp_path / "perf.data").out
    assert "tracepoints: 1 events\n    kvm_entry " in out
    assert "losses and oddities: none" in out


def test_what_files_hold_cannot_steer_the_terminal(spetrace: Command, tmp_path: Path) -> None:
    file = tmp_path / "evil\x1b[2J.jsonl"
    file.write_bytes(LOG.read_bytes())
    for words in (["info", file], ["info", tmp_path / "no\x1b[2J"]):
        result = spetrace(*words)
        assert "\x1b[2J" not in result.out + result.err
