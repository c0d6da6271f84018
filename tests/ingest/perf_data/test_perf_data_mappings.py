"""MMAP and MMAP2 with their build ids, as perf prints them."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import polars as pl
import pytest
from builders_perf_data import NOBODY, PerfData, spe_perf_data
from builders_side_band import BUILD_ID, DATA, build_id_record, mmap, mmap2
from ingest.perf_data.reading import read_bytes

from spetrace.ingest.importer import read_recording
from spetrace.ingest.perf_data.abi import Feature

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
TOLD = re.compile(
    r"(?P<time>\d+) 0x[0-9a-f]+ \[0x[0-9a-f]+\]: PERF_RECORD_MMAP2? (?P<pid>-?\d+)/(?P<tid>\d+): "
    r"\[(?P<start>0x[0-9a-f]+|0)\((?P<size>0x[0-9a-f]+)\) @ (?P<offset>0x[0-9a-f]+|0)[^]]*\]: "
    r"(?P<prot>\S+) (?P<path>.*)"
)


def mappings(file: PerfData, *, pipe: bool = False) -> pl.DataFrame:
    recording = read_bytes(file.build_pipe() if pipe else file.build())
    assert recording.quality.counts == {}
    assert recording.mappings is not None
    return recording.mappings


@ORDERS
def test_fields_of_both_records_in_file_order(order: str) -> None:
    file = spe_perf_data(order)
    file.records += [mmap2(file, "/bin/a"), mmap(file, "/bin/b"), mmap2(file, "/bin/ç")]
    rows = mappings(file)
    assert rows["path"].to_list() == ["/bin/a", "/bin/b", "/bin/ç"]
    told = {"time_ns": 1000, "pid": 40, "tid": 41, "start": 0x1000, "size_bytes": 0x2000}
    told |= {"file_offset": 0x30, "executable": True, "path": "/bin/b", "build_id": None}
    assert rows.row(1, named=True) == told
    assert rows.row(0, named=True) == told | {"path": "/bin/a"}


def test_kernel_and_synthesised_mappings_have_no_process_and_no_time() -> None:
    file = spe_perf_data()
    file.records.append(mmap(file, "[kernel.kallsyms]_text", pid=NOBODY, time=0))
    (row,) = mappings(file).rows(named=True)
    assert (row["time_ns"], row["pid"], row["tid"]) == (None, None, None)


def test_executable_is_as_the_record_tells() -> None:
    file = spe_perf_data()
    file.records += [mmap(file, "a"), mmap(file, "b", misc=DATA), mmap2(file, "c", prot=3)]
    assert mappings(file)["executable"].to_list() == [True, False, False]


@ORDERS
def test_build_ids_in_mmap2(order: str) -> None:
    file = spe_perf_data(order)
    file.records += [mmap2(file, "a", BUILD_ID), mmap2(file, "b", BUILD_ID[:16]), mmap2(file, "c")]
    assert mappings(file)["build_id"].to_list() == [BUILD_ID.hex(), BUILD_ID[:16].hex(), None]


def test_impossible_size_of_a_build_id_is_none() -> None:
    file = spe_perf_data()
    record = bytearray(mmap2(file, "a", BUILD_ID))
    for size in (0, 21, 255):
        record[40] = size
        file.records.append(bytes(record))
    assert mappings(file)["build_id"].to_list() == [None] * 3


@ORDERS
def test_noted_build_ids_are_joined_by_path(order: str) -> None:
    file = spe_perf_data(order)
    file.records += [
        mmap(file, "[kernel.kallsyms]_text"),
        mmap2(file, "/bin/a"),
        mmap2(file, "/bin/a", b"\1" * 20),
        mmap2(file, "/bin/b"),
    ]
    file.features[Feature.BUILD_ID] = build_id_record(
        file, "[kernel.kallsyms]", BUILD_ID, told=False
    ) + build_id_record(file, "/bin/a", BUILD_ID[:8])
    ids = [BUILD_ID.hex(), BUILD_ID[:8].hex(), "01" * 20, None]
    assert mappings(file)["build_id"].to_list() == ids


def test_build_id_records_of_a_pipe_are_joined_by_path() -> None:
    file = spe_perf_data()
    file.records += [mmap2(file, "/bin/a"), build_id_record(file, "/bin/a", BUILD_ID)]
    assert mappings(file, pipe=True)["build_id"].to_list() == [BUILD_ID.hex()]


def test_cut_records_are_counted() -> None:
    file = spe_perf_data()
    file.records += [mmap(file, "a")[:16], mmap2(file, "a", BUILD_ID)[:64]]
    file.records = [r[:6] + len(r).to_bytes(2, "little") + r[8:] for r in file.records]
    file.features[Feature.BUILD_ID] = build_id_record(file, "/bin/a", BUILD_ID)[:-1]
    recording = read_bytes(file.build())
    assert recording.quality.counts == {"perf_damaged_records": 3}
    assert recording.mappings is not None
    assert len(recording.mappings) == 0


@pytest.mark.parametrize("name", ["perf-all-mono"])
def test_mappings_of_a_capture_are_what_perf_dumps(shared: Path, name: str) -> None:
    folder = shared / "captures" / "kvm" / "07-perf"
    dump = gzip.decompress((folder / f"{name}.dump-D.txt.gz").read_bytes()).decode()
    told = [
        (
            int(m["time"]) or None,
            None if m["pid"] == "-1" else int(m["pid"]),
            int(m["start"], 16),
            int(m["size"], 16),
            int(m["offset"], 16),
            "x" in m["prot"],
            m["path"],
        )
        for m in TOLD.finditer(dump)
    ]
    rows = read_recording(folder / f"{name}.data").mappings
    assert rows is not None
    assert len(told) > 100
    assert rows.drop("tid", "build_id").rows() == told


def test_build_ids_of_a_capture_are_those_of_its_feature(shared: Path) -> None:
    rows = read_recording(shared / "captures" / "kvm" / "07-perf" / "perf-life.data").mappings
    assert rows is not None
    kernel = rows.filter(pl.col("path").str.starts_with("[kernel.kallsyms]"))
    assert kernel["build_id"].to_list() == ["c66a94177884b9da116f28e4c097f1cf0827500d"]
