"""Tracepoints of recorded perf.data: line by line what perf script prints of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingest.perf_data.perf_script_text import NOT_PRINTED, Line, parse_text, read_text

from spetrace.ingest.importer import read_recording
from spetrace.tables.recording import Recording

CAPTURES = Path(__file__).resolve().parents[3].parent / "shared" / "captures" / "kvm"
TEXTS = {
    **{
        f"07-perf/perf-{name}.data": f"07-perf/perf-{name}.guest-code.txt"
        for name in ("all-mono", "callgraph", "kvmstat", "life", "lost", "pid", "pipe", "z")
    },
    "07-perf/perf-all-slice.data": "07-perf/perf-all-slice.guest.F-pid.txt",
    **{
        f"{folder}/{name}.data": f"{folder}/{name}.guest-ns.txt"
        for folder in ("13-baremetal-known", "16-baremetal-known-nonuma")
        for name in ("both", "perf-thp-never")
    },
    "14-kernel-6.1/perf.data": "14-kernel-6.1/perf.guest-code.txt",
}
UNPRINTED_WFX = {("kvm_wfx_arm64", "is_wfe"), ("kvm_wfx_arm64", "vcpu_pc")}
COMMON = ("index", "time_ns", "cpu", "pid", "comm", "tgid")


def oracle(name: str) -> list[Line]:
    path = CAPTURES / TEXTS[name]
    return list(read_text(path if path.exists() else path.with_name(f"{path.name}.gz")))


def in_order(recording: Recording) -> list[tuple[str, dict[str, Any]]]:
    """All events by their index."""
    rows: list[tuple[str, dict[str, Any]]] = [("", {})] * sum(
        map(len, recording.tracepoints.values())
    )
    for name, frame in recording.tracepoints.items():
        for row in frame.with_columns(pl.col("comm").cast(pl.String)).iter_rows(named=True):
            rows[row["index"]] = (name, row)
    return rows


def check_lines(recording: Recording, lines: Sequence[Line]) -> None:
    """Every event is the text's, in its order, with all that the text tells of it."""
    rows = in_order(recording)
    assert len(rows) == len(lines)
    assert all(name for name, _ in rows)
    comms = {line.tid: line.comm for line in lines if line.comm is not None}
    for (name, row), line in zip(rows, lines, strict=True):
        assert name == line.event
        time_ns = row["time_ns"] // line.unit_ns * line.unit_ns
        assert (time_ns, row["cpu"], row["pid"]) == (line.time_ns, line.cpu, line.tid)
        assert line.tgid in (None, row["tgid"])
        assert row["comm"] == (line.comm or comms.get(line.tid, row["comm"]))
        assert {field: row[field] for field in line.fields} == line.fields


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")
@pytest.mark.parametrize("name", TEXTS)
def test_events_are_those_of_perf_script(name: str) -> None:
    recording, lines = read_recording(CAPTURES / name), oracle(name)
    check_lines(recording, lines)
    printed = {(line.event, field) for line in lines for field in line.fields}
    told = {
        (event, field)
        for event, frame in recording.tracepoints.items()
        for field in frame.columns
        if field not in COMMON
    }
    assert told - printed <= NOT_PRINTED | (UNPRINTED_WFX if name.startswith("14") else set())


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")
@pytest.mark.parametrize("name", TEXTS)
def test_event_counts_are_those_of_the_readme(name: str) -> None:
    readme = (CAPTURES / name).with_name("README.md").read_text()
    told = re.search(rf"## {Path(name).name} .*\n(.*)", readme)
    assert told is not None
    wanted = Counter({e.split()[0].split(":")[1]: int(e.split()[1]) for e in told[1].split(", ")})
    recording = read_recording(CAPTURES / name)
    assert {n: len(frame) for n, frame in recording.tracepoints.items()} == wanted


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")
@pytest.mark.skipif(shutil.which("perf") is None, reason="needs perf")
def test_events_are_those_of_the_installed_perf() -> None:
    path = CAPTURES / "14-kernel-6.1" / "perf.data"
    fields = "comm,pid,tid,cpu,time,event,trace"
    command = ["perf", "script", "--guest-code", "--ns", "-F", fields, "-i", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        pytest.skip("the installed perf reads no recordings")
    lines = list(parse_text(done.stdout))
    assert all(line.tgid is not None for line in lines)
    check_lines(read_recording(path), lines)


def test_clock_of_k_mono_is_ftraces_mono(shared: Path) -> None:
    folder = shared / "captures" / "kvm" / "07-perf"
    assert read_recording(folder / "perf-all-mono.data").clock == "mono"
    assert read_recording(folder / "perf-all-slice.data").clock == "perf"
