"""Tracepoints of hand-built files: byte orders, modes, sample layouts, and what may be missing."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from builders_perf_data import PerfData
from builders_perf_tracepoints import (
    ENTRY_EVENT,
    NOTE_EVENT,
    TRACED,
    entry,
    note,
    pipe,
    sample,
    traced,
    tracing_data,
)
from builders_side_band import comm, fork
from builders_trace_dat import ENTRY, build_format
from ingest.perf_data.reading import read_bytes

from spetrace.ingest.perf_data.abi import Feature, ReadFormat, RecordType, SampleType
from spetrace.tables.recording import Recording
from spetrace.workflow.pipeline import ingest_files

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
PC = 0xFFFF_8000_1234_5678
OTHER_FIELDS = [
    SampleType.IDENTIFIER, SampleType.IP, SampleType.ADDR, SampleType.STREAM_ID, SampleType.PERIOD,
]  # fmt: skip


def rows(recording: Recording, name: str = "kvm_entry") -> list[dict[str, Any]]:
    frame = recording.tracepoints[name]
    return frame.with_columns(pl.col("comm").cast(pl.String)).to_dicts()


def compressed_record(file: PerfData) -> bytes:
    """All records of the file in a compressed one."""
    sink = io.BytesIO()
    stream = pa.CompressedOutputStream(pa.PythonFile(sink, "w"), "zstd")
    stream.write(b"".join(file.records))
    stream.flush()
    record = file.record(RecordType.COMPRESSED, sink.getvalue())
    stream.close()
    return record


def compressed(file: PerfData) -> bytes:
    return PerfData(file.order, file.attrs, [compressed_record(file)], file.features).build()


@ORDERS
@pytest.mark.parametrize("build", [PerfData.build, pipe, compressed])
def test_events_of_both_cpus_are_in_order_of_time(order: str, build: Any) -> None:
    file = traced(order)
    file.records += [
        sample(file, entry(file, PC), time=30, cpu=0),
        sample(file, note(file, "héllo", -3), id_=NOTE_EVENT, time=40, cpu=0, tid=42),
        sample(file, entry(file, PC + 4), time=20, cpu=1, pid=50, tid=51),
        sample(file, entry(file, PC + 8), time=30, cpu=1),
    ]
    recording = read_bytes(build(file))
    assert recording.quality.counts == {}
    assert recording.clock == "perf"
    own = {"pid": 41, "comm": None, "tgid": 40}
    assert rows(recording) == [
        {
            "index": 0,
            "time_ns": 20,
            "cpu": 1,
            "pid": 51,
            "comm": None,
            "tgid": 50,
            "vcpu_pc": PC + 4,
        },
        {"index": 1, "time_ns": 30, "cpu": 0, **own, "vcpu_pc": PC},
        {"index": 2, "time_ns": 30, "cpu": 1, **own, "vcpu_pc": PC + 8},
    ]
    assert rows(recording, "note") == [
        {"index": 3, "time_ns": 40, "cpu": 0, **own, "pid": 42, "text": "héllo", "level": -3}
    ]
    assert dict(recording.tracepoints["note"].schema) == {
        "index": pl.UInt64, "time_ns": pl.Int64, "cpu": pl.Int32, "pid": pl.Int32,
        "comm": pl.Categorical, "tgid": pl.Int32, "text": pl.String, "level": pl.Int32,
    }  # fmt: skip


@ORDERS
def test_samples_in_the_file_and_in_compressed_records_are_one_recording(order: str) -> None:
    file = traced(order)
    file.records = [sample(file, entry(file, PC + n), time=n + 1) for n in range(5000)]
    file.records = [*file.records[:7], compressed_record(file)]
    recording = read_bytes(file.build())
    wanted = [PC + n for n in range(7) for _ in range(2)] + [PC + n for n in range(7, 5000)]
    assert recording.tracepoints["kvm_entry"]["vcpu_pc"].to_list() == wanted


@ORDERS
@pytest.mark.parametrize("others", list(combinations(OTHER_FIELDS, 2)))
def test_any_fixed_fields_before_raw_are_passed_over(
    order: str, others: tuple[SampleType, SampleType]
) -> None:
    needed = SampleType.ID | SampleType.TID | SampleType.TIME | SampleType.CPU | SampleType.RAW
    sample_type = needed | others[0] | others[1]
    file = traced(order, sample_type)
    file.records = [sample(file, entry(file, PC), sample_type=sample_type)]
    (row,) = rows(read_bytes(file.build()))
    assert (row["vcpu_pc"], row["pid"], row["tgid"], row["cpu"]) == (PC, 41, 40, 0)
    assert row["time_ns"] == 1000


TIMES = ReadFormat.TOTAL_TIME_ENABLED | ReadFormat.TOTAL_TIME_RUNNING
READS = [
    (0, [9]),
    (TIMES, [9, 8, 7]),
    (TIMES | ReadFormat.ID | ReadFormat.LOST, [9, 8, 7, 6, 5]),
    (ReadFormat.GROUP, [2, 9, 8]),
    (ReadFormat.GROUP | TIMES | ReadFormat.ID, [2, 4, 3, 9, 1, 8, 1]),
    (ReadFormat.GROUP | ReadFormat.TOTAL_TIME_RUNNING | ReadFormat.LOST | ReadFormat.ID, [1, 4, 9, 1, 0]),
    (ReadFormat.GROUP | TIMES, [0, 4, 3]),
]  # fmt: skip


@ORDERS
@pytest.mark.parametrize(("read_format", "words"), READS)
@pytest.mark.parametrize("chain", [None, [], [PC, 0xFFFF_FFFF_FFFF_FE00, 1]])
def test_raw_follows_read_and_callchain(
    order: str, read_format: int, words: list[int], chain: list[int] | None
) -> None:
    sample_type = TRACED | SampleType.READ | (0 if chain is None else SampleType.CALLCHAIN)
    file = traced(order, sample_type | 1 << 11 | 1 << 14, read_format=read_format)
    before = words if chain is None else [*words, len(chain), *chain]
    file.records = [
        sample(
            file,
            entry(file, PC),
            sample_type=sample_type,
            before_raw=file.pack(f"{len(before)}Q", *before),
            after_raw=file.pack("QQ", 0, 3),
        )
    ]
    recording = read_bytes(file.build())
    assert [row["vcpu_pc"] for row in rows(recording)] == [PC]
    assert recording.quality.counts == {}


@ORDERS
@pytest.mark.parametrize("words", [[1 << 63, 1, 2], [1 << 60, 1, 2], [1000, 1, 2], [9, 1, 2]])
@pytest.mark.parametrize("read_format", [None, int(ReadFormat.GROUP)])
def test_array_longer_than_its_sample_is_damage(
    order: str, words: list[int], read_format: int | None
) -> None:
    kind = SampleType.CALLCHAIN if read_format is None else SampleType.READ
    file = traced(order, TRACED | kind, read_format=read_format or 0)
    lie = sample(file, entry(file, PC), before_raw=file.pack("3Q", *words))
    file.records = [lie, sample(file, entry(file, PC + 4), before_raw=file.pack("3Q", 2, 1, 1))]
    recording = read_bytes(file.build())
    assert [row["vcpu_pc"] for row in rows(recording)] == [PC + 4]
    assert recording.quality.counts == {"perf_damaged_records": 1}


@ORDERS
def test_samples_too_short_for_their_fields_are_damage(order: str) -> None:
    file = traced(order)
    whole = sample(file, entry(file, PC))
    raw_at = len(whole) - len(entry(file, PC)) - 4 - 4
    for size in range(16, len(whole)):
        file.records.append(file.record(RecordType.SAMPLE, whole[8:size]))
    long = whole[:raw_at] + file.pack("I", 21) + whole[raw_at + 4 :]
    file.records += [long, whole]
    recording = read_bytes(file.build())
    assert len(rows(recording)) == 1
    assert recording.quality.counts == {"perf_damaged_records": len(whole) - 16 + 1}


def test_samples_shorter_than_their_format_are_damage() -> None:
    file = traced()
    file.records = [sample(file, entry(file, PC)[:12]), sample(file, entry(file, PC), time=2000)]
    recording = read_bytes(file.build())
    assert [(row["index"], row["vcpu_pc"]) for row in rows(recording)] == [(0, PC)]
    assert recording.quality.counts == {"perf_damaged_records": 1}


@ORDERS
def test_text_that_is_not_in_its_record_is_null(order: str) -> None:
    file = traced(order)
    lie = bytearray(note(file, "héllo", 5))
    lie[8:12] = file.pack("I", 100 << 16 | 16)
    file.records = [
        sample(file, bytes(lie), id_=NOTE_EVENT),
        sample(file, note(file, "x", 6), id_=NOTE_EVENT),
    ]
    recording = read_bytes(file.build())
    for _ in range(2):
        found = [(row["text"], row["level"]) for row in rows(recording, "note")]
        assert found == [(None, 5), ("x", 6)]
        assert recording.quality.counts == {"trace_damaged_fields": 1}


@ORDERS
def test_what_is_not_sampled_is_null_or_told_by_the_record(order: str) -> None:
    sample_type = SampleType.IDENTIFIER | SampleType.RAW
    file = traced(order, sample_type)
    file.records = [
        sample(file, entry(file, PC + n, pid=70 + n), sample_type=sample_type) for n in range(3)
    ]
    assert rows(read_bytes(file.build())) == [
        {"index": n, "time_ns": None, "cpu": None, "pid": 70 + n, "comm": None, "tgid": None,
         "vcpu_pc": PC + n}
        for n in range(3)
    ]  # fmt: skip


def test_events_without_a_time_are_kept_in_their_table(tmp_path: Path) -> None:
    sample_type = SampleType.IDENTIFIER | SampleType.RAW
    file = traced("<", sample_type)
    file.records = [sample(file, entry(file, PC + n), sample_type=sample_type) for n in range(3)]
    path = tmp_path / "perf.data"
    path.write_bytes(file.build())
    ingest_files([path], tmp_path / "session")
    table = pl.read_parquet(tmp_path / "session" / "tracepoints" / "kvm_entry.parquet")
    assert table["time_ns"].to_list() == [None] * 3
    assert table["vcpu_pc"].to_list() == [PC, PC + 1, PC + 2]


def test_numbers_that_perf_did_not_know_are_null() -> None:
    file = traced()
    file.records = [sample(file, entry(file, PC, pid=77), pid=-1, tid=-1, cpu=-1, time=1 << 63)]
    (row,) = rows(read_bytes(file.build()))
    assert (row["pid"], row["tgid"], row["cpu"], row["time_ns"]) == (77, None, None, None)


def test_threads_are_named_as_of_the_event() -> None:
    file = traced()
    for time, tid in ((5, 41), (15, 41), (25, 41), (25, 0), (25, 99), (40, 42), (30, 42)):
        file.records.append(sample(file, entry(file, tid), time=time, tid=tid))
    file.records += [
        comm(file, "first", 41, 10),
        comm(file, "second", 41, 20),
        fork(file, 42, 41, 35),
    ]
    named = [(row["time_ns"], row["pid"], row["comm"]) for row in rows(read_bytes(file.build()))]
    assert sorted(named, key=str) == sorted(
        [
            (5, 41, None), (15, 41, "first"), (25, 41, "second"), (25, 0, "swapper"),
            (25, 99, None), (30, 42, None), (40, 42, "second"),
        ],
        key=str,
    )  # fmt: skip


@pytest.mark.parametrize("build", [PerfData.build, pipe])
def test_without_tracing_data_samples_are_counted_by_name(build: Any) -> None:
    file = traced()
    del file.features[Feature.TRACING_DATA]
    file.records = [sample(file, entry(file, PC))] * 3
    file.records.append(sample(file, note(file, "x", 1), id_=NOTE_EVENT))
    recording = read_bytes(build(file))
    assert recording.tracepoints == {}
    assert recording.quality.counts == {"perf_undecoded_samples": 4}
    assert recording.quality.details["perf_undecoded_samples"] == "kvm:kvm_entry 3, test:note 1"


def test_event_without_a_format_is_left_out_of_the_order() -> None:
    file = traced()
    file.features[Feature.TRACING_DATA] = tracing_data(file, {"kvm": [ENTRY]})
    file.records = [
        sample(file, note(file, "x", 1), id_=NOTE_EVENT, time=1),
        sample(file, entry(file, PC), time=2),
    ]
    recording = read_bytes(file.build())
    assert [row["index"] for row in rows(recording)] == [0]
    assert set(recording.tracepoints) == {"kvm_entry"}
    assert recording.quality.counts == {"perf_undecoded_samples": 1}


def test_samples_without_raw_are_counted() -> None:
    file = traced(sample_type=TRACED & ~SampleType.RAW)
    file.records = [sample(file, b"", sample_type=TRACED & ~SampleType.RAW)]
    recording = read_bytes(file.build())
    assert recording.tracepoints == {}
    assert recording.quality.counts == {"perf_undecoded_samples": 1}


@ORDERS
def test_tracing_data_that_is_cut_tells_the_formats_before(order: str) -> None:
    file = traced(order)
    file.records = [
        sample(file, entry(file, PC)),
        sample(file, note(file, "x", 1), id_=NOTE_EVENT),
    ]
    whole = tracing_data(file)
    found = []
    for size in range(1, len(whole)):
        file.features[Feature.TRACING_DATA] = whole[:size]
        recording = read_bytes(file.build())
        names = set(recording.tracepoints)
        found.append(len(names))
        assert recording.quality.counts.get("perf_undecoded_samples", 0) == 2 - len(names)
        assert recording.quality.counts.get("perf_damaged_records", 0) == (len(names) < 2)
    assert found == sorted(found)
    assert set(found) == {0, 1, 2}


@pytest.mark.parametrize("at", [0, 14, 15])
def test_tracing_data_that_is_none_is_damage(at: int) -> None:
    file = traced()
    section = bytearray(tracing_data(file))
    section[at] ^= 0x40
    file.features[Feature.TRACING_DATA] = bytes(section)
    file.records = [sample(file, entry(file, PC))]
    recording = read_bytes(file.build())
    assert recording.quality.counts == {"perf_damaged_records": 1, "perf_undecoded_samples": 1}


def test_pipe_that_is_cut_in_tracing_data_is_read_as_far() -> None:
    file = traced()
    data = pipe(file)
    recording = read_bytes(data[: len(data) - 8])
    assert recording.tracepoints == {}
    assert recording.quality.counts["file_truncated_bytes"] == 8


def test_longs_of_a_32_bit_kernel_are_64_bits_wide() -> None:
    text = build_format("wide", 7, ("unsigned long a", 8, 4, 0), ("long b", 12, 4, 1))
    file = traced()
    file.features[Feature.TRACING_DATA] = tracing_data(file, {"test": [text]}, long_size=4)
    file.records = [sample(file, entry(file, 0xFFFF_FFFE_8000_0000))]
    (row,) = rows(read_bytes(file.build()), "wide")
    assert (row["a"], row["b"]) == (0x8000_0000, -2)


def test_events_of_one_tracepoint_are_one_table() -> None:
    file = traced()
    file.attrs.append((file.attrs[0][0], [302]))
    del file.features[Feature.EVENT_DESC]
    file.records = [
        sample(file, entry(file, PC + 1), time=2),
        sample(file, entry(file, PC), id_=302, time=1),
    ]
    recording = read_bytes(file.build())
    assert [row["vcpu_pc"] for row in rows(recording)] == [PC, PC + 1]


def test_events_of_one_name_are_told_apart_by_their_system() -> None:
    file = traced()
    both = {"kvm": [ENTRY], "other": [ENTRY.replace("ID: 7", "ID: 9")]}
    file.features[Feature.TRACING_DATA] = tracing_data(file, both)
    file.records = [
        sample(file, entry(file, PC), id_=NOTE_EVENT),
        sample(file, entry(file, PC + 4), id_=ENTRY_EVENT),
    ]
    recording = read_bytes(file.build())
    assert {name: len(frame) for name, frame in recording.tracepoints.items()} == {
        "kvm_entry": 1,
        "other:kvm_entry": 1,
    }
    assert rows(recording)[0]["vcpu_pc"] == PC + 4


@pytest.mark.parametrize(
    ("clockid", "name"),
    [
        (None, "perf"),
        (0, "realtime"),
        (1, "mono"),
        (4, "mono_raw"),
        (7, "boot"),
        (11, "tai"),
        (9, "9"),
    ],
)
def test_clock_is_called_as_ftrace_calls_it(clockid: int | None, name: str) -> None:
    assert read_bytes(traced(clockid=clockid).build()).clock == name


def test_other_samples_are_no_tracepoints() -> None:
    file = traced()
    file.attrs[0] = (file.attr(4, sample_type=TRACED, config=7), [ENTRY_EVENT])
    file.records = [sample(file, entry(file, PC))]
    recording = read_bytes(file.build())
    assert recording.tracepoints == {}
    assert recording.quality.counts == {}
    assert recording.properties["events"][0]["samples"] == 1
