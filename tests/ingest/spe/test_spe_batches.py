"""The Arrow side of the decoder: schema, selection of columns, batch sizes, memory, quality."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from builders import (
    SPE_END,
    spe_counter,
    spe_events,
    spe_load_record,
    spe_operation,
    spe_timestamp,
)
from ingest.spe.decoders import IDENTITY, decode_by_kernel, segment_of

from spetrace.ingest.spe.batch import slots_of
from spetrace.ingest.spe.decode import StreamIdentity, iter_batches
from spetrace.ingest.spe.header_table import Slot
from spetrace.ingest.spe.segment import Piece
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion
from spetrace.tables.spe_records import SPE_RECORDS

CONVERSION = TimeConversion(shift=0, multiplier=1, zero=0)
MIXED = b"".join(
    (
        spe_load_record(11, 0xFF800000000000, 0xFF000000001000),
        spe_operation(2, 0) + spe_counter(7, 70) + spe_timestamp(12),
        spe_events(3, 8) + spe_counter(7, 71) + spe_counter(20, 1) + SPE_END,
    )
)


def all_batches(data: bytes, **options: object) -> list[pa.RecordBatch]:
    arguments = {"time_conversion": CONVERSION} | options
    return list(iter_batches([segment_of(data)], IDENTITY, **arguments))


@pytest.mark.parametrize("name", SPE_RECORDS.names)
def test_single_column_equals_that_of_all(name: str) -> None:
    (whole,) = all_batches(MIXED)
    (alone,) = all_batches(MIXED, columns=[name])
    assert alone.schema.equals(SPE_RECORDS.select([name]).schema, check_metadata=True)
    alone.validate(full=True)
    assert alone.column(0).equals(whole.column(name))


def test_selected_columns_are_in_the_tables_order() -> None:
    (batch,) = all_batches(MIXED, columns=["events", "source", "pc"])
    assert batch.schema.names == ["source", "pc", "events"]


def test_columns_that_never_come_and_those_that_always_do_need_no_bitmap() -> None:
    (batch,) = all_batches(MIXED)
    assert batch.column("timestamp_ticks").null_count == 1
    assert batch.column("previous_branch_target").null_count == len(batch)
    assert batch.column("aux_offset").buffers()[0] is None
    (loads,) = all_batches(spe_load_record(1, 2, 3) * 4)
    assert loads.column("pc").buffers()[0] is None


def test_slots_of_the_columns() -> None:
    assert slots_of(["aux_offset", "cpu"]) == set()
    assert slots_of(["pc_ns", "pc", "time_ns"]) == {Slot.PC}
    assert slots_of(SPE_RECORDS.names) == set(Slot) - {Slot.IGNORED}


def test_batches_hold_their_rows_after_the_next_is_made() -> None:
    data = b"".join(spe_counter(3, i) + spe_timestamp(i) for i in range(100))
    batches = all_batches(data, batch_rows=7)
    assert [len(batch) for batch in batches] == [7] * 14 + [2]
    table = pa.Table.from_batches(batches)
    assert table["timestamp_ticks"].to_pylist() == list(range(100))
    assert table["time_ns"].to_pylist() == list(range(100))
    assert table["other_counters"].to_pylist() == [[{"index": 3, "value": i}] for i in range(100)]


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 5, 6, 7])
def test_batch_that_is_full_where_a_window_ends(batch_rows: int) -> None:
    record = spe_timestamp(5)
    segments = [segment_of(record * 6, cuts=[27]), segment_of(record * 6)]
    rows, _ = decode_by_kernel(segments, batch_rows=batch_rows)
    assert [row["timestamp_ticks"] for row in rows] == [5] * 12


def test_many_other_counters_make_shorter_batches() -> None:
    record = b"".join(spe_counter(i, i) for i in range(3, 32)) + SPE_END
    batches = all_batches(record * 50, batch_rows=40)
    expected = [{"index": i, "value": i} for i in range(3, 32)]
    assert pa.Table.from_batches(batches)["other_counters"].to_pylist() == [expected] * 50


def test_endless_counters_of_one_record_take_bounded_memory() -> None:
    data = (spe_counter(3, 1) + spe_counter(31, 2)) * 100_000 + SPE_END
    (batch,) = all_batches(data)
    expected = [{"index": 3, "value": 1}, {"index": 31, "value": 2}]
    assert batch["other_counters"].to_pylist() == [expected]
    assert batch.nbytes < 1000


def test_nothing_recorded_gives_no_batch() -> None:
    quality = Quality()
    assert all_batches(bytes(1000), quality=quality) == []
    assert list(iter_batches([], IDENTITY, time_conversion=None, quality=quality)) == []
    assert list(iter_batches([()], IDENTITY, time_conversion=None, quality=quality)) == []
    assert quality.counts == {}


def test_identity_of_a_thread() -> None:
    identity = StreamIdentity(source=65535, cpu=None, tid=4001)
    (batch,) = iter_batches(
        [segment_of((spe_events(2) + SPE_END) * 3)], identity, time_conversion=None
    )
    assert batch["source"].to_pylist() == [65535] * 3
    assert batch["cpu"].null_count == 3
    assert batch["tid"].to_pylist() == [4001] * 3


def test_bytes_of_a_writable_and_of_a_strided_array() -> None:
    data = np.frombuffer((spe_events(2, 1) + SPE_END) * 40, np.uint8).copy()
    for array in (data, np.repeat(data, 2)[::2]):
        (batch,) = iter_batches([(Piece(0, array),)], IDENTITY, time_conversion=None)
        assert len(batch) == 40
        assert array.flags.writeable
