"""The spans in which a recording could not record, from hand-built streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session.session_recordings import FakeSpe, spe
from session_recordings import whole_session

from spetrace.ingest.importer import read_recording
from spetrace.session.offset_marks import Marks
from spetrace.session.options import SessionOptions
from spetrace.session.recording_gaps import recording_gaps

SIZE, STEP = 64, 100
AREA = 1 << 22
Row = tuple[str, int | None, int | None, int | None]


@dataclass
class FlaggedSpe(FakeSpe):
    """SPE data whose AUX records have flags, by their place."""

    flagged: dict[int, str] = field(default_factory=dict)

    @property
    def aux_records(self) -> pl.DataFrame:
        frame = super().aux_records
        columns = {
            name: [self.flagged.get(row) == name for row in range(len(frame))]
            for name in ("truncated", "overwrite", "partial", "collision")
        }
        return frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def stream(*parts: tuple[int, int, int | None], **spe_data: Any) -> FlaggedSpe:
    """One stream of AUX records: each of so many records from a time on, written at a time."""
    aux, records, offset = [], [], 0
    for count, first, written in parts:
        aux.append((0, written, offset, count * SIZE))
        for n in range(count):
            records.append((0, offset + n * SIZE, SIZE, first + n * STEP, 0))
        offset += count * SIZE
    return FlaggedSpe(aux, records, **spe_data)


def gaps(data: FakeSpe, *, area_bytes: int = AREA, one_clock: bool = True) -> list[Row]:
    found = recording_gaps(data, area_bytes, 4096, one_clock=one_clock)
    assert found["cpu"].to_list() == [0] * len(found)
    return found.select("cause", "start_ns", "end_ns", "records_lost_estimate").rows()


def test_stop_lasts_from_the_aux_record_to_the_next_record() -> None:
    data = stream((10, 1000, 1950), (10, 2950, 3900))
    assert gaps(data) == [("stopped", 1950, 2950, 9)]


def test_times_on_another_clock_are_not_used() -> None:
    data = stream((10, 1000, 77), (10, 2900, 99))
    assert gaps(data, one_clock=False) == [("stopped", 1900, 2900, 9)]


def test_next_record_as_ever_loses_nothing() -> None:
    data = stream((10, 1000, 1900), (10, 2000, 2900))
    assert gaps(data) == [("stopped", 1900, 2000, 0)]


def test_full_buffer_is_no_stop() -> None:
    data = stream((64, 0, 6300), (64, 9000, 15300))
    assert gaps(data, area_bytes=64 * SIZE * 2) == []


def test_truncation_of_the_last_aux_record_has_no_end() -> None:
    data = stream((10, 1000, 1950), (10, 1960, 2900), flagged={1: "truncated"})
    assert gaps(data)[0] == ("truncated", 2860, None, None)


def test_truncation_counts_once_and_ends_with_the_next_record() -> None:
    nothing = (0, 0, 2000)
    for tries in range(1, 4):
        parts = [(10, 1000, 1950), *[nothing] * tries, (10, 5000, 5900)]
        data = stream(*parts, flagged=dict.fromkeys(range(1, tries + 1), "truncated"))
        assert gaps(data) == [("truncated", 1900, 5000, 30)]


def test_stop_after_an_empty_aux_record_counts_once() -> None:
    data = stream((10, 1000, 1950), (0, 0, 2000), (10, 4000, 4900))
    assert gaps(data) == [("stopped", 2000, 4000, 19)]


def test_missing_bytes_stand_for_the_stops_around_them() -> None:
    data = stream((10, 1000, 1900), (10, 2000, 2900), (10, 3000, 3900))
    del data.records[10:20]
    assert gaps(data) == [("missing_data", 1900, 3000, 10)]


def test_missing_bytes_at_the_end_have_no_end() -> None:
    data = stream((10, 1000, 1900), (10, 2000, 2900))
    del data.records[15:]
    assert gaps(data) == [("stopped", 1900, 2000, 0), ("missing_data", 2400, None, None)]


def test_collision_is_its_aux_record() -> None:
    data = stream((10, 1000, 1900), (10, 2000, 2900), (10, 3000, 3900), flagged={1: "collision"})
    data.records[11:19] = [
        (stream, offset, size, time, level)
        for (stream, offset, size, _, level), time in zip(
            data.records[11:19], [2100] * 4 + [2800] * 4, strict=True
        )
    ]
    assert gaps(data)[0] == ("collision", 2000, 2900, 1)
    data.records[19] = (*data.records[19][:3], 4000, 0)
    assert gaps(data)[0] == ("collision", 2000, 4000, 11)


def test_snapshots_have_no_spans() -> None:
    data = stream((10, 1000, 1950), (10, 2950, 3900), flagged={0: "overwrite"})
    assert gaps(data) == []


def test_records_without_times_leave_the_aux_records_times() -> None:
    data = stream((10, 1000, 1950), (10, 2950, 3900))
    data.records = [(*record[:3], None, 0) for record in data.records]
    assert gaps(data) == [("stopped", 1950, None, None)]
    assert gaps(data, one_clock=False) == [("stopped", None, None, None)]


@pytest.mark.parametrize("name", ["n1-partial", "kp-straddle", "n1-per-thread"])
def test_truncated_aux_records_of_captures_each_make_a_span(shared: Path, name: str) -> None:
    recording = read_recording(shared / "captures" / "spe-synthetic" / f"{name}.perf.data")
    assert recording.spe is not None
    found = recording_gaps(recording.spe, AREA, 4096, one_clock=True)
    assert int(recording.spe.aux_records["truncated"].sum()) == len(
        found.filter(pl.col("cause") == "truncated")
    )
    assert found.filter(pl.col("start_ns") > pl.col("end_ns")).is_empty()
    assert found["records_lost_estimate"].max() < 10


def test_table_is_on_the_sessions_clock() -> None:
    data = stream((10, 1000, 1950), (10, 2950, 3900))
    session = whole_session([spe(data)], SessionOptions(clock_offset_ns=7))
    table = session.tables["recording_gaps"]
    assert table.column("source").to_pylist() == [0]
    assert table.column("start_ns").to_pylist() == [1957]
    assert table.column("cause").to_pylist() == ["stopped"]


RECORDS = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(0, 99))),
    max_size=30,
    unique_by=lambda record: record[0],
)


@settings(deadline=None, max_examples=80)
@given(records=RECORDS, marks=st.sets(st.integers(0, 41), min_size=1), size=st.integers(1, 9))
def test_marks_see_what_lies_around_them(
    records: list[tuple[int, int | None]], marks: set[int], size: int
) -> None:
    offsets = np.array(sorted(marks), np.uint64)
    found = Marks(offsets)
    for start in range(0, len(records), size):
        part = records[start : start + size]
        columns = [
            pa.array([r[0] for r in part], pa.uint64()),
            pa.array([r[1] for r in part], pa.int64()),
        ]
        found.add(pa.RecordBatch.from_arrays(columns, ["aux_offset", "time_ns"]))
    timed = sorted((at, time) for at, time in records if time is not None)
    for row, mark in enumerate(sorted(marks)):
        before = [time for at, time in timed if at < mark]
        after = [time for at, time in timed if at >= mark]
        assert found.records_before[row] == len(before)
        assert (found.has_before[row], found.has_after[row]) == (bool(before), bool(after))
        assert not before or found.before_ns[row] == before[-1]
        assert not after or found.after_ns[row] == after[0]
