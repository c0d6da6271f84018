"""Decode speed of a big trace.dat, in events per second."""

from __future__ import annotations

import lzma
from pathlib import Path

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from spetrace.ingest.importer import read_recording


@pytest.fixture(scope="module")
def big(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed = shared / "captures" / "kvm" / "90-big" / "trace-big.dat.xz"
    path = tmp_path_factory.mktemp("big") / "trace-big.dat"
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


def test_decode_of_a_big_recording(benchmark: BenchmarkFixture, big: Path) -> None:
    recording = benchmark.pedantic(read_recording, (big,), rounds=5, warmup_rounds=1)
    events = sum(len(table) for table in recording.tracepoints.values())
    assert events == 3_183_789
    benchmark.extra_info["million_events_per_s"] = events / benchmark.stats.stats.min / 1e6
    assert all(isinstance(table, pl.DataFrame) for table in recording.tracepoints.values())
