"""The captures of SPE: the tables equal what perf's own decoder gives."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import polars as pl
import pytest
from ingest.perf_data.reading import read_spe_file, spe_rows
from ingest.spe.perf_view import read_perf_csv, to_perf_view

CAPTURES = Path(__file__).resolve().parents[3].parent / "shared" / "captures"
SYNTHETIC = sorted((CAPTURES / "spe-synthetic").glob("*.perf.data"))
REAL = sorted((CAPTURES / "spe-real" / "perfdata").glob("*.perf.data"))
PARTIAL, STRADDLE = "n1-partial", "kp-straddle"
REFUSED_BY_PERF = ("n1-no-index", "n1-per-thread")
SCRIPT_LINE = re.compile(
    r"\s*(?P<pid>-?\d+)/(?P<tid>-?\d+)\s+\[(?P<cpu>\d+)\]\s+(?P<seconds>\d+)\.(?P<ns>\d{9}):"
    r"\s+(?P<addr>[0-9a-f]+)\s.*\|.*?\s(?P<weight>\d+)\s+(?P<ip>[0-9a-f]+)\s+[0-9a-f]+\s*$"
)

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")


def capture_name(path: Path) -> str:
    return path.name.removesuffix(".perf.data")


def in_folder(name: str) -> Path:
    return CAPTURES / "spe-synthetic" / name


def captures_but(*names: str) -> list[Path]:
    return [path for path in SYNTHETIC if capture_name(path) not in names]


@pytest.mark.parametrize("path", captures_but(PARTIAL), ids=capture_name)
def test_synthetic_capture_equals_perfs_records(path: Path) -> None:
    recording, spe = read_spe_file(path)
    records = spe_rows(spe)
    expected = read_perf_csv(in_folder(f"{capture_name(path)}.records.csv.gz"))
    assert to_perf_view(records).equals(expected)
    assert set(recording.quality.counts) <= {"spe_records_without_time"}


def test_partial_capture_lacks_only_the_two_cut_records(shared: Path) -> None:
    recording, spe = read_spe_file(in_folder(f"{PARTIAL}.perf.data"))
    records = to_perf_view(spe_rows(spe))
    expected = read_perf_csv(in_folder(f"{PARTIAL}.records.csv.gz"))
    assert len(expected) - len(records) == 2
    cut = expected.with_row_index().join(records, on=expected.columns, how="anti")
    assert expected.with_row_index().join(cut, on="index", how="anti").drop("index").equals(records)
    counts = recording.quality.counts
    assert (counts["aux_truncated"], counts["aux_partial"], counts["spe_cut_records"]) == (2, 2, 2)
    assert spe.aux_records.filter("partial").height == 2


def test_straddling_capture_equals_the_unstraddled_one(shared: Path) -> None:
    _, whole = read_spe_file(in_folder("kp.perf.data"))
    _, straddling = read_spe_file(in_folder("kp-straddle.perf.data"))
    assert spe_rows(straddling).equals(spe_rows(whole))


@pytest.mark.parametrize("path", REAL, ids=capture_name)
def test_real_bytes_equal_perfs_records(path: Path) -> None:
    _, spe = read_spe_file(path)
    expected = CAPTURES / "spe-real" / "expected" / f"{capture_name(path)}.records73.csv"
    assert to_perf_view(spe_rows(spe)).equals(read_perf_csv(expected))


SCRIPT_COLUMNS = {"time_ns": pl.Int64, "cpu": pl.Int32, "ip": pl.UInt64, "weight": pl.UInt16}


def script_rows(path: Path) -> pl.DataFrame:
    """The samples that `perf script` prints, in order of their columns."""
    with gzip.open(path, "rt") as file:
        matches = [SCRIPT_LINE.match(line) for line in file]
    assert all(matches)
    rows = [
        (
            int(m["seconds"]) * 10**9 + int(m["ns"]),
            int(m["cpu"]),
            int(m["ip"], 16),
            int(m["weight"]),
        )
        for m in matches
        if m
    ]
    return pl.DataFrame(rows, SCRIPT_COLUMNS, orient="row").sort(*SCRIPT_COLUMNS)


@pytest.mark.parametrize("path", captures_but(STRADDLE, *REFUSED_BY_PERF), ids=capture_name)
def test_synthetic_capture_equals_perf_script(path: Path) -> None:
    script = script_rows(in_folder(f"{capture_name(path)}.script.txt.gz"))
    _, spe = read_spe_file(path)
    records = spe_rows(spe).filter(pl.col("pc").is_not_null())
    ours = records.select(
        pl.col("time_ns").fill_null(0),
        "cpu",
        ip=to_perf_view(records)["from_ip"],
        weight="total_latency_cycles",
    )
    assert ours.sort(*SCRIPT_COLUMNS).equals(script)


@pytest.mark.parametrize("path", SYNTHETIC, ids=capture_name)
def test_synthetic_capture_describes_its_machine(path: Path) -> None:
    recording, spe = read_spe_file(path)
    is_pipe = capture_name(path) == "n1-pipe"
    assert recording.format == ("perf.data (pipe)" if is_pipe else "perf.data")
    assert recording.properties["arch"] == "aarch64"
    assert recording.properties.get("hostname") == (None if is_pipe else "synth-host")
    assert spe.time_conversion is not None
    assert (spe.time_conversion.shift, spe.time_conversion.multiplier) == (21, 83886080)
    if capture_name(path) == "n1-header2":
        assert spe.midrs == {0: 0x413FD0C1, 1: 0x413FD0C1, None: 0x413FD0C1}
    else:
        assert list(spe.midrs) == [None]
    if capture_name(path) == "n1-per-thread":
        assert (spe.stream_cpus, spe.stream_tids) == ([None, None], [4001, 4004])
    else:
        assert (spe.stream_cpus, spe.stream_tids) == ([0, 1], [None, None])


@pytest.mark.parametrize("path", SYNTHETIC, ids=capture_name)
def test_aux_records_announce_what_the_streams_hold(path: Path) -> None:
    recording, spe = read_spe_file(path)
    announced = spe.aux_records.group_by("stream").agg(pl.col("size_bytes").sum()).sort("stream")
    held = [stream["bytes"] for stream in recording.properties["aux_streams"]]
    padding = [h - a for h, a in zip(held, announced["size_bytes"], strict=True)]
    assert all(0 <= p < 8 * len(spe.aux_records) for p in padding)
    assert "aux_gap_bytes" not in recording.quality.counts
