"""CONTEXTIDR joined to the names of threads."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import polars as pl
import pytest
from ingest.perf_data.reading import read_spe_file, spe_rows
from polars.testing import assert_frame_equal

from spetrace import arm

RECORDS = pl.DataFrame(
    [
        (None, 5, None, 30),
        (None, 9, 4, 20),
        (None, 5, None, 10),
        (7, None, None, 5),
        (None, 5, None, None),
        (None, None, None, 1),
        (None, 5, None, 25),
        (None, 0xFFFF_FFFF, None, 25),
    ],
    {"tid": pl.Int32, "context_el1": pl.UInt32, "context_el2": pl.UInt32, "time_ns": pl.Int64},
    orient="row",
)
THREADS = pl.DataFrame(
    [
        (5, 1, "late", 25),
        (5, 1, "early", None),
        (4, 3, "same time", 20),
        (4, 4, "four", 20),
        (4, 4, "other", 21),
        (7, 7, "seven", 6),
    ],
    {"tid": pl.Int32, "pid": pl.Int32, "comm": pl.String, "time_ns": pl.Int64},
    orient="row",
)
EXPECTED = [
    (5, 1, "late"),
    (4, 4, "four"),
    (5, 1, "early"),
    (7, None, None),
    (5, 1, "late"),
    (None, None, None),
    (5, 1, "late"),
    (0xFFFF_FFFF, None, None),
]


def test_record_has_the_name_that_its_thread_had_then() -> None:
    named = arm.with_threads(RECORDS, THREADS)
    assert named.columns == [*RECORDS.columns, "thread_tid", "thread_pid", "thread_comm"]
    assert named.drop(RECORDS.columns).rows() == EXPECTED
    assert named.select(RECORDS.columns).equals(RECORDS)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_lazy_frame_gives_the_same(engine) -> None:
    lazy = arm.with_threads(RECORDS.lazy(), THREADS)
    assert_frame_equal(lazy.collect(engine=engine), arm.with_threads(RECORDS, THREADS))


def test_without_threads_only_the_number_is_known() -> None:
    named = arm.with_threads(RECORDS, THREADS.clear())
    assert named["thread_tid"].to_list() == [tid for tid, _, _ in EXPECTED]
    assert named["thread_pid"].null_count() == named["thread_comm"].null_count() == len(RECORDS)


@pytest.mark.parametrize("name", ["n1", "kp", "newv64"])
def test_threads_are_those_of_perf_script(name: str, shared: Path) -> None:
    folder = shared / "captures/spe-synthetic"
    recording, spe = read_spe_file(folder / f"{name}.perf.data")
    assert recording.threads is not None
    named = arm.with_threads(spe_rows(spe), recording.threads)
    with gzip.open(folder / f"{name}.script.txt.gz", "rt") as file:
        expected = sorted(tuple(map(int, re.findall(r"-?\d+", line)[:2])) for line in file)
    assert sorted(named.select("thread_pid", "thread_tid").rows()) == expected
    names = set(named.select("thread_tid", "thread_comm").unique().rows())
    workers = enumerate((cpu, n) for cpu in range(2) for n in range(3))
    assert names == {(4001 + tid, f"w{cpu}.{n}") for tid, (cpu, n) in workers}
