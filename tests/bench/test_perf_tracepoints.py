"""Speed of tracepoints in a perf.data of millions of samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders_perf_tracepoints import NOTE_EVENT, entry, note, sample, traced
from pytest_benchmark.fixture import BenchmarkFixture

from spetrace.ingest.importer import read_recording
from spetrace.tables.tracepoint_frames import frames_of

SAMPLES = 3_000_000
_TIME_AT = 32


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of two CPUs in turns of 1000, their times in order within each."""
    file = traced()
    turns = []
    for cpu in range(2):
        pair = sample(file, entry(file, cpu), cpu=cpu)
        pair += sample(file, note(file, "seven", 7), id_=NOTE_EVENT, cpu=cpu)
        turns.append(pair * 500)
    file.records = turns * (SAMPLES // 2000)
    data = np.frombuffer(file.build(), np.uint8).copy()
    start = data.tobytes().index(turns[0][:48])
    first = len(sample(file, entry(file, 0)))
    at = start + np.arange(SAMPLES // 2)[:, None] * (len(turns[0]) // 500) + [_TIME_AT, first + 32]
    turn = np.arange(SAMPLES) // 1000
    times = (turn // 2 * 1000 + np.arange(SAMPLES) % 1000) * 10 + turn % 2
    data[at.reshape(-1, 1) + np.arange(8)] = times.astype("<u8").view(np.uint8).reshape(-1, 8)
    path = tmp_path_factory.mktemp("big") / "perf.data"
    path.write_bytes(data.tobytes())
    return path


def test_decode_all_samples(benchmark: BenchmarkFixture, big: Path) -> None:
    def decode() -> int:
        frames = frames_of(read_recording(big).tracepoints)
        return sum(len(frame) for _, frame in frames.batches())

    assert decode() == SAMPLES
    benchmark(decode)
    benchmark.extra_info["million_samples_per_s"] = SAMPLES / benchmark.stats.stats.min / 1e6
    assert SAMPLES / benchmark.stats.stats.min > 1e6
