"""Speed of a big trace.dat, in events per second, beside trace-cmd's own report of it."""

from __future__ import annotations

import json
import lzma
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from spetrace.ingest.importer import read_recording
from spetrace.tables.tracepoint_frames import frames_of
from spetrace.workflow.pipeline import ingest_files

COUNTS = "90-big/counts.json"


@pytest.fixture(scope="module")
def big(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed = shared / "captures" / "kvm" / "90-big" / "trace-big.dat.xz"
    path = tmp_path_factory.mktemp("big") / "trace-big.dat"
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


@pytest.fixture(scope="module")
def counts(shared: Path) -> dict[str, int]:
    found = json.loads((shared / "captures" / "kvm" / COUNTS).read_text())["trace-big.dat"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def baseline(big: Path) -> tuple[str, float]:
    """What is compared with and its seconds: trace-cmd's report, else a copy of the bytes."""
    if shutil.which("trace-cmd"):
        command = ["trace-cmd", "report", "-N", "-t", "-i", str(big)]
        report = lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: E731
        return "trace-cmd report", seconds_of(report)
    data = np.fromfile(big, np.uint8)
    return "memcpy", seconds_of(data.copy)


def seconds_of(function: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def note(benchmark: BenchmarkFixture, events: int, baseline: tuple[str, float]) -> None:
    name, seconds = baseline
    fastest = benchmark.stats.stats.min
    benchmark.extra_info["million_events_per_s"] = events / fastest / 1e6
    benchmark.extra_info[f"{name}, million_events_per_s"] = events / seconds / 1e6


def test_decode_to_tables(
    benchmark: BenchmarkFixture, big: Path, counts: dict[str, int], baseline: tuple[str, float]
) -> None:
    def decode() -> dict[str, int]:
        return {name: len(table) for name, table in read_recording(big).tracepoints.items()}

    assert benchmark.pedantic(decode, rounds=5, warmup_rounds=1) == counts
    note(benchmark, sum(counts.values()), baseline)


def test_decode_in_batches(
    benchmark: BenchmarkFixture, big: Path, counts: dict[str, int], baseline: tuple[str, float]
) -> None:
    def decode() -> int:
        return sum(len(f) for _name, f in frames_of(read_recording(big).tracepoints).batches())

    assert benchmark.pedantic(decode, rounds=5, warmup_rounds=1) == sum(counts.values())
    note(benchmark, sum(counts.values()), baseline)


def test_ingest_to_parquet(
    benchmark: BenchmarkFixture,
    big: Path,
    counts: dict[str, int],
    baseline: tuple[str, float],
    tmp_path: Path,
) -> None:
    """All of `spetrace ingest`: the tables that are derived from the events, too."""
    rows = benchmark.pedantic(ingest_files, ([big], tmp_path / "out"), rounds=2, warmup_rounds=1)
    assert {f"tracepoints/{name}.parquet": count for name, count in counts.items()}.items() <= (
        rows.items()
    )
    note(benchmark, sum(counts.values()), baseline)
