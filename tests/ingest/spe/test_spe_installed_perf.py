"""The installed perf as an oracle: its packet dump and its samples, where it reads SPE data at all.

Any version will do: packets whose words changed since perf 6.1 are compared by their bytes alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cli.command import SAMPLES
from generated_spe import generate
from ingest.perf_data.reading import read_spe_file, spe_rows
from ingest.spe.perf_view import to_perf_view

from spetrace import arm
from spetrace.ingest.spe.dump import recorded_streams, render_dump

Perf = Callable[..., str]
Packet = tuple[int, bytes, str]

SAMPLE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
CAPTURES = Path(__file__).resolve().parents[3].parent / "shared" / "captures"
REAL = sorted((CAPTURES / "spe-real" / "perfdata").glob("*.perf.data"))
DUMPED = [*REAL, *(CAPTURES / "spe-synthetic" / f"{n}.perf.data" for n in (
    "fvp", "kp", "kp-no-context-no-pa", "n1", "n1-no-timestamps", "n1-per-thread", "newv64", "v1",
))]  # fmt: skip
GENERATED = [
    "--layout n1 --cpus 3 --threads 2 --seed 51",
    "--layout v1 --cpus 2 --no-pa --ticks 300 --seed 52",
    "--layout kp --cpus 2 --no-ctx --seed 53",
    "--layout fvp --cpus 4 --no-pa --chunk-kb 8 --seed 54",
    "--layout newv64 --cpus 2 --no-pbt --seed 55",
]
"""Neither --straddle nor --partial: perf cuts packets where a chunk ends, and goes on with the
padding after it where it should not."""

CHUNK = re.compile(
    r".* PERF_RECORD_AUXTRACE size: \S+  offset: (\S+) .* tid: (-?\d+)  cpu: (-?\d+)"
)
LINE = re.compile(r"\.  ([0-9a-f]{8}):  ((?:[0-9a-f]{2} )+) *(\S.*)?")
SCRIPT_FIELDS = "pid,tid,cpu,time,ip,weight"
SCRIPT_LINE = re.compile(
    r"\s*(-?\d+)/(-?\d+)\s+\[(\d+)\]\s+(\d+)\.(\d{9}):\s+(\d+)\s+([0-9a-f]+)\s*$"
)
SCRIPT_COLUMNS = {
    "pid": pl.Int64, "tid": pl.Int64, "cpu": pl.Int32, "time_ns": pl.Int64, "weight": pl.UInt16,
    "ip": pl.UInt64,
}  # fmt: skip
EVENTS_OF_6_1 = (1 << 12) - 1 | 1 << 17 | 1 << 18


@pytest.fixture(scope="module")
def perf() -> Perf:
    """What the installed perf prints for a subcommand's words; skips where it reads no SPE data."""
    path = shutil.which("perf")
    if path is None:
        pytest.skip("needs perf")

    def run(*words: str | Path, stdin: bytes | None = None) -> str:
        command = [path, *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)
        return done.stdout.decode("utf-8", "replace")

    if "ARM SPE data" not in run("report", "-D", "-i", SAMPLE):
        pytest.skip("this perf reads no SPE data")
    return run


def packet(line: re.Match[str], start: int) -> Packet:
    """A dump's line: its place in the AUX area, the packet's bytes, its text."""
    return start + int(line[1], 16), bytes.fromhex(line[2]), (line[3] or "").strip()


def perfs_packets(report: str) -> dict[tuple[int, int], list[Packet]]:
    """By tid and CPU the packets of all AUXTRACE records, each of which perf dumps from 0 on."""
    streams: dict[tuple[int, int], list[Packet]] = {}
    start, found = 0, []
    for line in report.splitlines():
        if chunk := CHUNK.match(line):
            start = int(chunk[1], 0)
            found = streams.setdefault((int(chunk[2]), int(chunk[3])), [])
        elif match := LINE.fullmatch(line):
            found.append(packet(match, start))
    return streams


def our_packets(path: Path) -> dict[tuple[int, int], list[Packet]]:
    _, spe = read_spe_file(path)
    streams = {}
    for number, stream in enumerate(recorded_streams(spe)):
        _, *lines = "".join(render_dump([stream], headers=True)).splitlines()
        key = spe.stream_tids[number], spe.stream_cpus[number]
        matches = map(LINE.fullmatch, lines)
        streams[tuple(-1 if n is None else n for n in key)] = [packet(m, 0) for m in matches if m]
    return streams


def worded_alike(data: bytes) -> bool:
    """Whether all versions of perf since 6.1 have the same words for a packet."""
    extension, data = (data[0] & 3, data[1:]) if data[0] & 0xFC == 0x20 else (0, data)
    header, payload = data[0], int.from_bytes(data[1:], "little")
    if header & 0xCF == 0x42:
        return not payload & ~EVENTS_OF_6_1
    if header & 0xF8 == 0xB0:
        return extension == 0 and header & 7 < 4
    if header == 0x48:
        return payload in (0, 1) or payload & 0x89 == 8
    if header == 0x49:
        return payload & 0xE2 == 2 or payload & 0xFE in (0x00, 0x04, 0x10, 0x30)
    return header != 0x4A or payload in (0, 1, 2)


def check_dump(perf: Perf, path: Path) -> None:
    """The same packets in the same places, in the same words; padding lines are joined otherwise."""
    expected, found = perfs_packets(perf("report", "-D", "-i", path)), our_packets(path)
    assert set(found) == set(expected)
    for stream, packets in expected.items():
        theirs = [p for p in packets if p[2] != "PAD"]
        ours = [p for p in found[stream] if p[2] != "PAD"]
        assert [p[:2] for p in ours] == [p[:2] for p in theirs]
        alike = [worded_alike(data) for _, data, _ in theirs]
        assert [p for p, a in zip(ours, alike, strict=True) if a] == [
            p for p, a in zip(theirs, alike, strict=True) if a
        ]
        assert len(theirs) < 2 or any(alike)


def check_samples(perf: Perf, path: Path, *, pipe: bool = False) -> None:
    """A sample for each of our records, of the same thread, CPU, time, PC and latency."""
    words = ("script", "--itrace=i1i", "--ns", "-F", SCRIPT_FIELDS, "-i", "-" if pipe else path)
    lines = perf(*words, stdin=path.read_bytes() if pipe else None).splitlines()
    matches = [SCRIPT_LINE.match(line) for line in lines]
    assert all(matches)
    rows = [
        (int(m[1]), int(m[2]), int(m[3]), int(m[4]) * 10**9 + int(m[5]), int(m[6]), int(m[7], 16))
        for m in matches
        if m
    ]
    recording, spe = read_spe_file(path)
    records = spe_rows(spe)
    assert recording.threads is not None
    named = arm.with_threads(records, recording.threads)
    ours = named.select(
        pid=pl.col("thread_pid").fill_null(-1).cast(pl.Int64),
        tid=pl.col("thread_tid").fill_null(-1),
        cpu="cpu",
        time_ns="time_ns",
        weight="total_latency_cycles",
        ip=to_perf_view(records)["from_ip"],
    )
    expected = pl.DataFrame(rows, SCRIPT_COLUMNS, orient="row")
    assert ours.sort(*SCRIPT_COLUMNS).equals(expected.sort(*SCRIPT_COLUMNS))


def test_sample_trace_as_the_installed_perf_reads_it(perf: Perf) -> None:
    check_dump(perf, SAMPLE)
    check_samples(perf, SAMPLE)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")
@pytest.mark.parametrize("path", DUMPED, ids=lambda path: path.name.removesuffix(".perf.data"))
def test_packets_are_those_of_the_installed_perf(path: Path, perf: Perf) -> None:
    check_dump(perf, path)


@pytest.mark.parametrize("options", GENERATED)
def test_generated_recording_as_the_installed_perf_reads_it(
    options: str, perf: Perf, shared: Path, tmp_path: Path
) -> None:
    path, script = tmp_path / "perf.data", shared / "tools/make_spe_perfdata.py"
    generate(script, path, ["--size-mb", "0.1", "--chunk-kb", "16", *options.split()])
    check_dump(perf, path)
    check_samples(perf, path)


def test_piped_recording_as_the_installed_perf_reads_it(
    perf: Perf, shared: Path, tmp_path: Path
) -> None:
    path, script = tmp_path / "perf.data", shared / "tools/make_spe_perfdata.py"
    generate(script, path, ["--size-mb", "0.1", "--cpus", "2", "--pipe", "--seed", "56"])
    check_samples(perf, path, pipe=True)
