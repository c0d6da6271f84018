"""How many lines of a text log become rows in a second, against what cutting it into lines takes,
and how much memory a big one needs."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from spetrace.ingest.importer import read_recording

CAPTURES = {
    "ftrace": ("06-ftrace-text/01-trace_pipe.first60000.txt.gz", 17),
    "trace-cmd": ("08-churn-lkvm/trace.report-N-t.txt.gz", 1),
    "perf": ("07-perf/perf-life.guest-code.txt.gz", 77),
}
"""Each with how often it is repeated to be long enough."""
MOST_MEGABYTES = 800
READ = """
import re, sys
from pathlib import Path
from spetrace.ingest.importer import read_recording
rows = sum(len(table) for table in read_recording(Path(sys.argv[1])).tracepoints.values())
status = Path("/proc/self/status").read_text()
print(rows, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) >> 10)
"""


def repeated(shared: Path, name: str, folder: Path, times: int = 1) -> tuple[Path, int]:
    """A file of the capture's text again and again, and how many lines it has."""
    capture, count = CAPTURES[name]
    text = gzip.decompress((shared / "captures" / "kvm" / capture).read_bytes())
    path = folder / f"{name}.txt"
    with path.open("wb") as file:
        for _ in range(count * times):
            file.write(text)
    return path, text.count(b"\n") * count * times


@pytest.mark.parametrize("name", CAPTURES)
def test_read_of_a_text_log(
    name: str, shared: Path, tmp_path: Path, benchmark: BenchmarkFixture
) -> None:
    path, lines = repeated(shared, name, tmp_path)
    recording = benchmark.pedantic(read_recording, (path,), rounds=5, warmup_rounds=1)
    rows = sum(len(table) for table in recording.tracepoints.values())
    assert lines * 0.99 < rows <= lines
    text = path.read_bytes()
    begin = time.perf_counter()
    assert len(text.splitlines()) == lines
    split = time.perf_counter() - begin
    seconds = benchmark.stats.stats.min
    benchmark.extra_info["million_lines_per_s"] = round(lines / seconds / 1e6, 2)
    benchmark.extra_info["times_a_split"] = round(seconds / split, 1)


def test_memory_for_a_big_text_log(
    shared: Path, tmp_path: Path, benchmark: BenchmarkFixture
) -> None:
    path, lines = repeated(shared, "trace-cmd", tmp_path, times=5)
    command = [sys.executable, "-c", READ, str(path)]
    result = benchmark.pedantic(
        subprocess.run, (command,), {"check": True, "capture_output": True, "text": True}, rounds=1
    )
    rows, megabytes = map(int, result.stdout.split())
    assert rows > lines * 0.99
    assert megabytes < MOST_MEGABYTES
    benchmark.extra_info["file_megabytes"] = path.stat().st_size >> 20
    benchmark.extra_info["megabytes"] = megabytes
