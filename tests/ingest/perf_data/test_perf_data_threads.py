"""COMM and FORK: who is called what, from when on."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import polars as pl
import pytest
from builders_perf_data import PerfData, spe_perf_data
from builders_side_band import comm, fork
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.perf_data.reading import read_bytes

from spetrace.ingest.importer import read_recording
from spetrace.ingest.perf_data.abi import RecordType

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
NAMING = re.compile(
    r"(?P<time>\d+) 0x[0-9a-f]+ \[0x[0-9a-f]+\]: PERF_RECORD_"
    r"(?:COMM(?: exec)?: (?P<comm>.*):(?P<pid>\d+)/(?P<tid>\d+)"
    r"|FORK\((?P<fork_pid>\d+):(?P<fork_tid>\d+)\))"
)


def threads(file: PerfData) -> list[tuple[int | None, int, int, str | None]]:
    recording = read_bytes(file.build())
    assert recording.quality.counts == {}
    assert recording.threads is not None
    return recording.threads.select("time_ns", "pid", "tid", "comm").rows()


@ORDERS
def test_forked_thread_has_its_parents_name_of_that_time(order: str) -> None:
    file = spe_perf_data(order)
    file.records += [
        comm(file, "first", 41, 0),
        fork(file, 42, 41, 10),
        comm(file, "second", 41, 20),
        fork(file, 43, 41, 30),
        fork(file, 44, 42, 40),
        fork(file, 45, 99, 50),
    ]
    assert threads(file) == [
        (None, 40, 41, "first"),
        (10, 40, 42, "first"),
        (20, 40, 41, "second"),
        (30, 40, 43, "second"),
        (40, 40, 44, "first"),
        (50, 40, 45, None),
    ]


def test_time_decides_not_place_in_the_file() -> None:
    file = spe_perf_data()
    file.records += [
        fork(file, 42, 41, 30),
        comm(file, "late", 41, 20),
        comm(file, "early", 41, 10),
    ]
    assert threads(file) == [(30, 40, 42, "late"), (20, 40, 41, "late"), (10, 40, 41, "early")]


def test_thread_that_forks_itself_in_a_damaged_file_has_no_name() -> None:
    file = spe_perf_data()
    file.records += [fork(file, 41, 41, 10), fork(file, 41, 41, 10)]
    assert threads(file) == [(10, 40, 41, None), (10, 40, 41, None)]


def test_cut_records_are_counted() -> None:
    file = spe_perf_data()
    file.records += [
        file.record(RecordType.COMM, file.pack("II", 40, 41)),
        file.record(RecordType.FORK, bytes(16)),
    ]
    recording = read_bytes(file.build())
    assert recording.quality.counts == {"perf_damaged_records": 2}
    assert recording.threads is not None
    assert recording.threads.is_empty()


Step = tuple[bool, int, int, int]
STEPS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5), st.integers(0, 6)), max_size=20
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_names_are_those_of_a_walk_in_time_order(steps: list[Step]) -> None:
    file = spe_perf_data()
    names: dict[int, str | None] = {}
    expected: dict[int, str | None] = {}
    for row, (is_fork, tid, parent, time) in enumerate(steps):
        file.records.append(
            fork(file, tid, parent, time) if is_fork else comm(file, f"n{row}", tid, time)
        )
    for row in sorted(range(len(steps)), key=lambda row: (steps[row][3], row)):
        is_fork, tid, parent, _ = steps[row]
        names[tid] = expected[row] = names.get(parent) if is_fork else f"n{row}"
    assert [name for *_, name in threads(file)] == [expected[row] for row in range(len(steps))]


def test_names_of_a_capture_are_what_perf_dumps(shared: Path) -> None:
    folder = shared / "captures" / "kvm" / "07-perf"
    dump = gzip.decompress((folder / "perf-all-mono.dump-D.txt.gz").read_bytes()).decode()
    told = list(NAMING.finditer(dump))
    rows = read_recording(folder / "perf-all-mono.data").threads
    assert rows is not None
    assert len(rows) == len(told) > 100
    for row, record in zip(rows.rows(named=True), told, strict=True):
        assert row["time_ns"] == (int(record["time"]) or None)
        assert row["pid"] == int(record["pid"] or record["fork_pid"])
        assert row["tid"] == int(record["tid"] or record["fork_tid"])
        assert record["comm"] in (None, row["comm"])


def test_vcpus_of_a_capture_are_named(shared: Path) -> None:
    rows = read_recording(shared / "captures" / "kvm" / "07-perf" / "perf-life.data").threads
    assert rows is not None
    named = rows.filter(pl.col("comm").str.starts_with("kvm-vcpu-"))
    assert set(named["comm"]) == {"kvm-vcpu-0", "kvm-vcpu-1"}
    assert named["pid"].n_unique() == 1
