"""The bundled traces: their origin and hashes, and that the readers agree with the reference tools."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from spetrace.cli.main import run
from spetrace.ingest.importer import read_recording
from spetrace.tables.recording import Recording

SAMPLES = Path(__file__).resolve().parents[1] / "sample_traces"
FOLDERS = sorted(path.parent for path in SAMPLES.glob("*/about.toml"))
ROLES = {"trace", "reference", "expected", "session", "extra"}
REPLAYED = [folder for folder in FOLDERS if "replay" in tomllib.loads((folder / "about.toml").read_text())]  # fmt: skip


def about(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))


def lines_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_there_are_samples_of_every_kind() -> None:
    assert {folder.name for folder in SAMPLES.iterdir()} == {folder.name for folder in FOLDERS}
    assert any(not about(folder)["synthetic"] for folder in FOLDERS)
    assert any(about(folder)["synthetic"] for folder in FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_about_tells_origin_and_every_file(folder: Path) -> None:
    facts = about(folder)
    for key in ("title", "origin", "licence", "kernel", "cpu"):
        assert facts[key], key
    assert isinstance(facts["synthetic"], bool)
    assert facts["commands"] or "by hand" in facts["origin"]
    assert {f["name"] for f in facts["file"]} | {"about.toml"} == {p.name for p in folder.iterdir()}
    for file in facts["file"]:
        content = (folder / file["name"]).read_bytes()
        assert file["role"] in ROLES
        assert file["role"] != "reference" or file["made_by"]
        assert len(content) == file["bytes"]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


@pytest.mark.parametrize("folder", REPLAYED, ids=lambda f: f.name)
def test_replay_gives_the_expected_counters(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = about(folder)["replay"]
    monkeypatch.chdir(folder)
    assert run(["replay", *replay["arguments"], "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["strategies"] == json.loads((folder / replay["expected"]).read_text())


@pytest.mark.parametrize(
    ("trace", "counts"),
    [("kvm-churn/trace.dat", "kvm-churn/counts.json"), ("spe-on-kvm/host.dat", "spe-on-kvm/counts.json")],
)  # fmt: skip
def test_events_are_as_many_as_trace_cmd_reports(trace: str, counts: str) -> None:
    (expected,) = json.loads((SAMPLES / counts).read_text()).values()
    tracepoints = read_recording(SAMPLES / trace).tracepoints
    assert {name: len(frame) for name, frame in tracepoints.items()} == expected


@pytest.mark.parametrize(
    ("trace", "report"),
    [
        ("kvm-churn/trace.dat", "kvm-churn/report-head.txt.gz"),
        ("kvm-known-pages/trace.dat", "kvm-known-pages/report.txt.gz"),
        ("spe-on-kvm/host.dat", "spe-on-kvm/host-report-head.txt.gz"),
    ],
)
def test_events_are_those_of_trace_cmd_report(trace: str, report: str) -> None:
    """Thread, CPU, time in ns and name of each event, in trace-cmd's order."""
    expected = [event for line in lines_of(SAMPLES / report) if (event := report_line(line))]
    events = in_time_order(read_recording(SAMPLES / trace), len(expected))
    assert len(expected) > 1000
    assert events == expected


REPORT_LINE = re.compile(r"\s*(.{1,16})-(\d+)\s+\[(\d+)\]\s+(\d+)\.(\d{9}): (\w+):")


def report_line(line: str) -> tuple[str, int, int, int, str] | None:
    match = REPORT_LINE.match(line)
    if not match:
        return None
    comm, pid, cpu, seconds, ns, name = match.groups()
    return comm, int(pid), int(cpu), int(seconds) * 10**9 + int(ns), name


def in_time_order(recording: Recording, count: int) -> list[tuple[Any, ...]]:
    columns = ["comm", "pid", "cpu", "time_ns", "name", "index"]
    frames = [
        frame.with_columns(pl.lit(name).alias("name"), pl.col("comm").cast(pl.String))[columns]
        for name, frame in recording.tracepoints.items()
    ]
    return pl.concat(frames).sort("index").drop("index").head(count).rows()


def test_guest_faults_of_the_known_pages() -> None:
    """The bare-metal guest touches 96 data pages, each once, in program order."""
    faults = read_recording(SAMPLES / "kvm-known-pages" / "trace.dat").tracepoints[
        "kvm_guest_fault"
    ]
    pattern = re.compile(r"kvm_guest_fault:\s+ipa (0x[0-9a-f]+), hsr (0x[0-9a-f]+), ")
    text = lines_of(SAMPLES / "kvm-known-pages" / "report.txt.gz")
    expected = [
        tuple(int(x, 16) for x in m.groups()) for line in text if (m := pattern.search(line))
    ]
    assert faults[["ipa", "hsr"]].rows() == expected
    assert len(expected) == 105


def test_spe_records_are_those_of_perfs_decoder() -> None:
    spe = read_recording(SAMPLES / "spe-neoverse-n1" / "spe.perf.data").spe
    assert spe is not None
    columns = ["timestamp_ticks", "pc", "va", "events", "total_latency_cycles", "context_el2"]
    records = pa.Table.from_batches([batch for _, batch in spe.batches(columns)]).to_pylist()
    expected = list(csv.DictReader(lines_of(SAMPLES / "spe-neoverse-n1" / "records.csv.gz")))
    assert len(records) == len(expected) == 3124
    for record, row in zip(records, expected, strict=True):
        assert record["timestamp_ticks"] == int(row["ts"])
        assert record["pc"] == int(row["from_ip"], 16)
        assert (record["va"] or 0) == int(row["virt"], 16)
        assert record["context_el2"] == int(row["ctx"])
        assert record["total_latency_cycles"] == int(row["latency"])


def test_spe_records_of_the_joined_session_are_those_of_perf_script() -> None:
    spe = read_recording(SAMPLES / "spe-on-kvm" / "guest.perf.data").spe
    assert spe is not None
    batches = [batch for _, batch in spe.batches(["cpu", "time_ns", "pc", "va"])]
    records = pa.Table.from_batches(batches).to_pylist()
    found = Counter((r["cpu"], r["time_ns"], r["pc"]) for r in records)
    pattern = re.compile(r"\[(\d+)\] (\d+)\.(\d{9}):\s+[0-9a-f]+\s+([0-9a-f]+)")
    lines = (
        pattern.match(line) for line in lines_of(SAMPLES / "spe-on-kvm" / "guest-script.txt.gz")
    )
    expected = Counter(
        (int(m[1]), int(m[2]) * 10**9 + int(m[3]), int(m[4], 16)) for m in lines if m
    )
    assert found == expected
