"""Our records of real and synthetic recordings equal those of perf's own decoder, field by field."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from ingest.spe.decoders import IDENTITY, segment_of
from ingest.spe.perf_view import read_perf_csv, to_perf_view
from polars.testing import assert_frame_equal

from spetrace.ingest.spe.decode import iter_batches
from spetrace.quality import Quality
from spetrace.tables.spe_records import SPE_RECORDS

# Losses that perf's dump of these pieces shows: bad bytes, records left open, no timestamps.
REAL = {
    "ampere_issue123_altra.bin": (0, 1, 0),
    "hiperf_rawData0.bin": (0, 0, 0),
    "hiperf_rawData1.bin": (2, 2, 0),
    "hiperf_rawData2.bin": (6, 0, 0),
    "kernel_commit_ffd3d18c_kimphillips.bin": (0, 0, 0),
    "kimphillips_rfc_branch_sample.bin": (0, 0, 1),
    "lkml_context_packets.bin": (0, 1, 0),
    "lkml_leoyan2025_examples.bin": (0, 1, 0),
    "lkml_yangjihong2_kunpeng.bin": (0, 0, 0),
    "lkml_yangjihong_kunpeng.bin": (0, 0, 0),
    "qemu_devel_haiboxu_vspe.bin": (0, 1, 0),
    "quipper_sample.bin": (0, 0, 0),
    "telemetry_frame.bin": (0, 1, 0),
    "telemetry_single_packets.bin": (0, 1, 1),
    "telemetry_spe-b1-ts0.data": (0, 0, 1),
    "telemetry_spe-b1-ts1.data": (0, 0, 0),
    "windowsperf_issue62.bin": (0, 1, 0),
}

SYNTHETIC = {
    "n1": ["--layout", "n1"],
    "v1": ["--layout", "v1"],
    "kp": ["--layout", "kp"],
    "fvp": ["--layout", "fvp"],
    "newv64": ["--layout", "newv64"],
    "n1-no-timestamps": ["--layout", "n1", "--no-ts"],
    "kp-no-context-no-pa": ["--layout", "kp", "--no-ctx", "--no-pa"],
}
SYNTHETIC_ARGUMENTS = ["--size-mb", "0.2", "--cpus", "2", "--seed", "7", "--chunk-kb", "32"]


def decode(data: bytes, quality: Quality) -> pl.DataFrame:
    batches = iter_batches([segment_of(data)], IDENTITY, time_conversion=None, quality=quality)
    return pl.DataFrame(pl.from_arrow(pa.Table.from_batches(batches, SPE_RECORDS.schema)))


@pytest.mark.parametrize("name", REAL)
def test_real_bytes_as_perf_decodes_them(name: str, shared: Path) -> None:
    folder = shared / "captures/spe-real"
    quality = Quality()
    records = decode((folder / "raw" / name).read_bytes(), quality)
    expected = read_perf_csv(folder / "expected" / f"{name}.records73.csv")
    assert_frame_equal(to_perf_view(records), expected)
    names = ("spe_bad_packets", "spe_cut_records", "spe_records_without_time")
    assert tuple(quality.counts.get(name, 0) for name in names) == REAL[name]


@pytest.mark.parametrize("name", REAL)
def test_bad_bytes_are_those_of_perfs_dump(name: str, shared: Path) -> None:
    dump = (shared / "captures/spe-real/expected" / f"{name}.perf73.txt").read_text()
    assert dump.count("Bad packet!") == REAL[name][0]


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_payload_as_perf_decodes_it(name: str, shared: Path, tmp_path: Path) -> None:
    payload = tmp_path / "payload"
    script = shared / "tools/make_spe_perfdata.py"
    arguments = [*SYNTHETIC_ARGUMENTS, *SYNTHETIC[name], "--raw", payload]
    command = [sys.executable, script, tmp_path / "perf.data", *arguments]
    subprocess.run(command, check=True, capture_output=True)
    recorded = shared / "captures/spe-synthetic" / f"{name}.perf.data"
    assert (tmp_path / "perf.data").read_bytes() == recorded.read_bytes()
    quality = Quality()
    records = decode(payload.read_bytes(), quality)
    expected = read_perf_csv(recorded.with_name(f"{name}.records.csv.gz"))
    assert_frame_equal(to_perf_view(records), expected)
    untimed = {"spe_records_without_time": len(expected)} if "--no-ts" in SYNTHETIC[name] else {}
    assert quality.counts == untimed
