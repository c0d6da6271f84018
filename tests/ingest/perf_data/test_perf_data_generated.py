"""Recordings of all that the generator can vary: our records are what it drew, field by field."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from builders_perf_data import SAMPLE_ID_ALL, SPE_TYPE, PerfData, spe_perf_data
from generated_spe import Generated, generate
from ingest.perf_data.reading import read_spe, read_spe_file, spe_rows
from polars.testing import assert_frame_equal

from spetrace.ingest.perf_data.abi import Feature

OPTIONS = [
    "--layout n1 --cpus 3 --threads 1 --seed 11",
    "--layout n1 --cpus 2 --per-thread --zstd 81 --seed 12",
    "--layout n1 --cpus 2 --pipe --zstd 83 --no-ctx --straddle --seed 13",
    "--layout n1 --cpus 4 --no-index --no-ts --per-thread --seed 14",
    "--layout v1 --cpus 2 --zstd 81 --header 2 --no-pbt --seed 15",
    "--layout v1 --cpus 3 --straddle --no-index --no-pa --ticks 1000 --seed 16",
    "--layout v1 --cpus 1 --pipe --header 2 --pid 70000 --seed 17",
    "--layout kp --cpus 2 --straddle --pipe --seed 18",
    "--layout kp --cpus 2 --no-ts --no-ctx --zstd 83 --header 2 --seed 19",
    "--layout fvp --cpus 2 --straddle --per-thread --no-index --seed 20",
    "--layout fvp --cpus 2 --no-pa --no-ctx --zstd 81 --seed 21",
    "--layout newv64 --cpus 2 --straddle --header 2 --zstd 83 --seed 22",
    "--layout newv64 --cpus 3 --no-pbt --pipe --ticks 2 --seed 23",
    "--layout newv64 --cpus 2 --per-thread --no-ts --straddle --seed 24",
]
PARTIAL = [
    "--layout n1 --cpus 2 --partial --chunk-kb 6 --seed 31",
    "--layout v1 --cpus 3 --partial --chunk-kb 4 --pipe --seed 32",
    "--layout kp --cpus 2 --partial --chunk-kb 5 --header 2 --seed 33",
    "--layout fvp --cpus 2 --partial --chunk-kb 4 --zstd 83 --seed 34",
    "--layout newv64 --cpus 2 --partial --chunk-kb 6 --no-index --seed 35",
]
OVERWRITE = 2


def made(shared: Path, tmp_path: Path, options: str) -> Generated:
    words = ["--size-mb", "0.12", "--chunk-kb", "16", *options.split()]
    return generate(shared / "tools/make_spe_perfdata.py", tmp_path / "perf.data", words)


def same_columns(records: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    return records.select(expected.columns)


@pytest.mark.parametrize("options", OPTIONS)
def test_records_are_those_that_the_generator_drew(
    options: str, shared: Path, tmp_path: Path
) -> None:
    generated = made(shared, tmp_path, options)
    recording, spe = read_spe_file(generated.path)
    records, expected = spe_rows(spe), generated.expected()
    assert_frame_equal(same_columns(records, expected), expected)
    untimed = 0 if generated.options.ts else len(expected)
    collisions = int(spe.aux_records["collision"].sum())
    counts = {"spe_records_without_time": untimed, "aux_collision": collisions}
    assert recording.quality.counts == {name: count for name, count in counts.items() if count}
    ends = [end for of_cpu in generated.ends for end in of_cpu.tolist()]
    assert (records["aux_offset"] + records["size_bytes"]).to_list() == ends


@pytest.mark.parametrize("options", PARTIAL)
def test_only_the_cut_records_are_lacking(options: str, shared: Path, tmp_path: Path) -> None:
    generated = made(shared, tmp_path, options)
    recording, spe = read_spe_file(generated.path)
    records, expected = spe_rows(spe), generated.expected()
    found = same_columns(records, expected)
    key = ["cpu", "timestamp_ticks"]
    assert_frame_equal(found, expected.join(found, on=key, how="semi", maintain_order="left"))
    cut = expected.join(found, on=key, how="anti").select("cpu", "time_ns").sort("cpu", "time_ns")
    announced = spe.aux_records.filter("partial").select("cpu", "time_ns").sort("cpu", "time_ns")
    assert cut.height > 4
    assert_frame_equal(cut, announced)
    counts = recording.quality.counts
    assert counts["aux_partial"] == counts["aux_truncated"] == len(cut)
    # The bytes of a cut packet are read on as packets, which the chunk's end can cut once more.
    assert len(cut) <= counts["spe_cut_records"] <= 2 * len(cut)


def with_payloads(file: PerfData, payloads: list[bytes], chunk: int, flags: int = 0) -> PerfData:
    """The CPUs' bytes in chunks, each with its AUX record, as the generator has them."""
    file.records.append(file.time_conv(21, 83886080, 0))
    for cpu, payload in enumerate(payloads):
        for begin, end in pairwise([*range(0, len(payload), chunk), len(payload)]):
            at = end if flags & OVERWRITE else begin
            file.records.append(file.aux(at, end - begin, flags, cpu=cpu))
            file.records.append(file.auxtrace(begin, payload[begin:end], cpu=cpu))
    return file


@pytest.mark.parametrize("pipe", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("layout", ["n1", "kp", "fvp", "newv64"])
def test_big_endian_files_hold_the_same_records(
    layout: str, pipe: bool, shared: Path, tmp_path: Path
) -> None:
    generated = made(shared, tmp_path, f"--layout {layout} --cpus 2 --seed 41")
    file = with_payloads(spe_perf_data(">", cpus=2), generated.payloads, 4099)
    recording, spe = read_spe(file.build_pipe() if pipe else file.build())
    expected = generated.expected()
    assert_frame_equal(same_columns(spe_rows(spe), expected), expected)
    assert not recording.quality.counts


def test_snapshots_of_whole_records_hold_them_all(shared: Path, tmp_path: Path) -> None:
    generated = made(shared, tmp_path, "--layout n1 --cpus 2 --seed 42")
    file = with_payloads(spe_perf_data(cpus=2), generated.payloads, 64 * 100, OVERWRITE)
    recording, spe = read_spe(file.build())
    expected = generated.expected()
    assert_frame_equal(same_columns(spe_rows(spe), expected), expected)
    assert spe.aux_records["overwrite"].all()
    assert not recording.quality.counts


def test_snapshots_do_not_go_on_in_each_other(shared: Path, tmp_path: Path) -> None:
    """Each of them begins and ends within a record, of which only the end is left or none."""
    generated = made(shared, tmp_path, "--layout n1 --cpus 1 --seed 43")
    (payload,) = generated.payloads
    snapshots = [payload[begin : begin + 64 * 10] for begin in range(30, len(payload), 64 * 20)]
    file = spe_perf_data()
    for number, snapshot in enumerate(snapshots):
        begin = number * 640
        file.records += [file.aux(begin + 640, 640, OVERWRITE), file.auxtrace(begin, snapshot)]
    _, spe = read_spe(file.build())
    rows = spe_rows(spe).filter(pl.col("pc").is_not_null())
    drawn = generated.expected()["timestamp_ticks"]
    expected = [drawn[n + k] for n in range(0, len(drawn), 20) for k in range(1, 10) if n + k < len(drawn)]  # fmt: skip
    assert rows["timestamp_ticks"].to_list() == expected


def test_events_of_two_pmus_hold_each_its_records(shared: Path, tmp_path: Path) -> None:
    """A machine with two kinds of CPU, whose SPE PMUs perf opens as two events."""
    generated = made(shared, tmp_path, "--layout v1 --cpus 2 --seed 44")
    file = spe_perf_data()
    file.attrs = [
        (file.attr(type_, flags=SAMPLE_ID_ALL), [100 + n])
        for n, type_ in enumerate((SPE_TYPE, SPE_TYPE + 1))
    ]
    names = file.pack("II", 2, SPE_TYPE) + file.string("arm_spe_0")
    file.features[Feature.PMU_MAPPINGS] = (
        names + file.pack("I", SPE_TYPE + 1) + file.string("arm_spe_1")
    )
    recording, spe = read_spe(with_payloads(file, generated.payloads, 8192).build())
    expected = generated.expected()
    assert_frame_equal(same_columns(spe_rows(spe), expected), expected)
    assert [stream for stream, _ in spe.batches()] == [0, 1]
    assert not recording.quality.counts


@pytest.mark.parametrize("options", ["--layout kp --straddle", "--layout n1 --pipe --zstd 83"])
def test_a_cut_file_holds_the_records_before_the_cut(
    options: str, shared: Path, tmp_path: Path
) -> None:
    generated = made(shared, tmp_path, f"{options} --cpus 2 --seed 45")
    whole = generated.path.read_bytes()
    expected = generated.expected().partition_by("cpu")
    heights = []
    for size in range(len(whole) // 3, len(whole) * 8 // 9, len(whole) // 9):
        recording, spe = read_spe(whole[:size])
        rows = spe_rows(spe)
        for cpu, of_cpu in enumerate(expected):
            found = same_columns(rows.filter(pl.col("cpu") == cpu), of_cpu)
            assert_frame_equal(found, of_cpu.head(len(found)))
        assert recording.quality.counts["file_truncated_bytes"] > 0
        heights.append(len(rows))
    assert heights == sorted(set(heights))
    assert 0 < heights[0] < heights[-1] < generated.expected().height
