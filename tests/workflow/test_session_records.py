"""SPE records are written beside the assembly of their session, once its clocks are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from builders import spe_load_record
from builders_perf_data import spe_perf_data

from spetrace.ingest.importer import read_recording
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import Recording
from spetrace.workflow.session_records import SPE_FILE, has_own_clock, writing_records

RECORDS = 1000


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    data = b"".join(spe_load_record(10 * n, 0x400000, 0x7F0000000000) for n in range(RECORDS))
    file = spe_perf_data()
    file.records += [file.time_conv(), file.aux(0, len(data)), file.auxtrace(0, data)]
    path = tmp_path / "perf.data"
    path.write_bytes(file.build())
    return read_recording(path)


def test_records_are_moved_by_the_clock_that_is_settled_later(
    recording: Recording, tmp_path: Path
) -> None:
    told: list[float] = []
    with writing_records([recording], tmp_path, told.append, explained=False) as records:
        assert not (tmp_path / SPE_FILE).exists()
        records.settle([{"source": 0, "offset_ns": 5000}])
        assert records.rows() == {SPE_FILE: RECORDS}
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert recording.spe is not None
    times = pl.concat([pl.DataFrame(b) for _, b in recording.spe.batches(["time_ns"])])["time_ns"]
    written = pl.Series(pq.read_table(tmp_path / SPE_FILE)["time_ns"])
    assert (written - times).unique().to_list() == [5000]


def test_a_block_that_fails_leaves_no_file(recording: Recording, tmp_path: Path) -> None:
    with (
        pytest.raises(KeyError),
        writing_records([recording], tmp_path, lambda _: None, explained=False),
    ):
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["perf.data"]


def test_own_clock_is_that_of_one_recording_without_a_host(recording: Recording) -> None:
    assert has_own_clock([recording], SessionOptions())
    assert not has_own_clock([recording, recording], SessionOptions())
    assert not has_own_clock([recording], SessionOptions(clock_offset_ns=0))
    assert not has_own_clock([recording], SessionOptions(session_toml=Path("session.toml")))
    host = replace(recording, tracepoints={"kvm:kvm_entry": pl.DataFrame()})
    assert not has_own_clock([host], SessionOptions())
