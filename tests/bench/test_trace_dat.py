"""Decode speed of a big trace.dat, in events per second; what it decodes to is checked as well."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from trace_cmd_text import assert_same_order, events_of, in_order

from spetrace.ingest.importer import read_recording


@pytest.fixture(scope="module")
def big(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed = shared / "captures" / "kvm" / "90-big" / "trace-big.dat.xz"
    path = tmp_path_factory.mktemp("big") / "trace-big.dat"
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


def test_decode_of_a_big_recording(benchmark: BenchmarkFixture, shared: Path, big: Path) -> None:
    recording = benchmark.pedantic(read_recording, (big,), rounds=5, warmup_rounds=1)
    folder = shared / "captures" / "kvm" / "90-big"
    counts = json.loads((folder / "counts.json").read_text())["trace-big.dat"]
    assert {name: len(table) for name, table in recording.tracepoints.items()} == counts
    seconds = benchmark.stats.stats.min
    benchmark.extra_info["million_events_per_s"] = sum(counts.values()) / seconds / 1e6
    merged = in_order(recording)
    first, last = (events_of(folder / f"{end}50000.report-N-t.txt.gz") for end in ("first", "last"))
    assert_same_order(merged.head(len(first)), first)
    assert_same_order(merged.tail(len(last)), last)
