"""How fast a whole recording becomes Parquet on disk, and how much memory that takes.

Run with `pytest -o addopts= tests/bench/test_ingest.py`. The baseline of the same run is a copy of
the recording. SPETRACE_BENCH_RECORDING names a recording to measure in place of the one made here.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import spe_load_record
from builders_perf_data import spe_perf_data
from pytest_benchmark.fixture import BenchmarkFixture

from spetrace.ingest.importer import read_recording

CPUS, CHUNKS, PER_CHUNK = 4, 64, 8192
INGEST = """
import sys, time
from pathlib import Path
from spetrace.cli.process import set_up_process
set_up_process()
from spetrace.workflow.pipeline import ingest_files
start = time.perf_counter()
rows = ingest_files([Path(sys.argv[1])], Path(sys.argv[2]))
seconds = time.perf_counter() - start
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
print(rows["spe_records.parquet"], seconds, peak / 1024)
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of CPUS x CHUNKS x PER_CHUNK records, time going on from chunk to chunk."""
    if given := os.environ.get("SPETRACE_BENCH_RECORDING"):
        return Path(given)
    file = spe_perf_data(cpus=CPUS)
    file.records.append(file.time_conv())
    for chunk in range(CHUNKS):
        first = 1000 + chunk * PER_CHUNK * 10
        data = b"".join(
            spe_load_record(first + 10 * n, 0x400000 + 4 * (n % 999), 0x7F0000000000 + 64 * n)
            for n in range(PER_CHUNK)
        )
        for cpu in range(CPUS):
            at = chunk * len(data)
            file.records += [file.aux(at, len(data), cpu=cpu), file.auxtrace(at, data, cpu=cpu)]
    path = tmp_path_factory.mktemp("recording") / "spe.perf.data"
    path.write_bytes(file.build())
    return path


def test_decode_of_all_streams(benchmark: BenchmarkFixture, recording: Path) -> None:
    spe = read_recording(recording).spe
    assert spe is not None

    def decode() -> int:
        return sum(len(batch) for _, batch in spe.batches(in_order=False))

    records = benchmark.pedantic(decode, rounds=5, warmup_rounds=1)
    seconds = benchmark.stats.stats.median
    benchmark.extra_info["million_records_per_second"] = round(records / seconds / 1e6, 1)


def test_ingest_to_disk(benchmark: BenchmarkFixture, recording: Path, tmp_path: Path) -> None:
    start = time.perf_counter()
    shutil.copyfile(recording, tmp_path / "copy")
    copied = time.perf_counter() - start
    measured = []

    def ingest() -> None:
        command = [sys.executable, "-c", INGEST, str(recording), str(tmp_path / "session")]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        measured.append(tuple(map(float, done.stdout.split())))

    benchmark.pedantic(ingest, rounds=3, warmup_rounds=1)
    records, seconds, megabytes = zip(*measured, strict=True)
    whole = benchmark.stats.stats.median
    benchmark.extra_info |= {
        "million_records_per_second": round(records[0] / statistics.median(seconds) / 1e6, 2),
        "with_start_of_python": round(records[0] / whole / 1e6, 2),
        "peak_megabytes": round(max(megabytes)),
        "times_a_copy": round(whole / copied, 1),
    }
