"""AUX streams: which chunks and AUX records belong together, and in which order streams come."""

from __future__ import annotations

import polars as pl
import pytest
from builders_perf_data import NOBODY, PerfData, spe_perf_data
from ingest.perf_data.reading import read_spe, segment_bytes

from spetrace.ingest.perf_data.aux_streams import MOST_STREAMS
from spetrace.tables.aux_records import AUX_RECORDS

TRUNCATED, OVERWRITE, PARTIAL, COLLISION = 1, 2, 4, 8
ORDERS = pytest.mark.parametrize("order", ["<", ">"])
SPE = bytes(range(1, 65))


def per_thread(file: PerfData, offset: int, payload: bytes, idx: int, tid: int) -> bytes:
    return file.auxtrace(offset, payload, cpu=NOBODY, idx=idx, tid=tid)


@ORDERS
def test_streams_come_in_order_of_their_cpus(order: str) -> None:
    file = spe_perf_data(order, cpus=4)
    for cpu in (3, 0, 2):
        file.records += [file.aux(0, 8, cpu=cpu), file.auxtrace(0, bytes([cpu + 1] * 8), cpu=cpu)]
    recording, spe = read_spe(file.build())
    assert (spe.stream_cpus, spe.stream_tids) == ([0, 2, 3], [None] * 3)
    assert spe.aux_records["stream"].to_list() == [2, 0, 1]
    assert spe.aux_records["cpu"].to_list() == [3, 0, 2]
    assert [segment_bytes(spe, n)[0][1][0] for n in range(3)] == [1, 3, 4]
    assert recording.properties["aux_streams"] == [
        {"cpu": cpu, "tid": None, "bytes": 8, "chunks": 1} for cpu in (0, 2, 3)
    ]


@ORDERS
def test_threads_streams_come_as_they_appear(order: str) -> None:
    file = spe_perf_data(order)
    trailer = file.sample_id(cpu=5, id_=100, tid=70)
    file.records += [
        per_thread(file, 0, SPE[:8], idx=1, tid=71),
        per_thread(file, 0, SPE[8:16], idx=0, tid=70),
        file.aux(0, 8, trailer=trailer),
    ]
    _, spe = read_spe(file.build())
    assert (spe.stream_cpus, spe.stream_tids) == ([None, None], [71, 70])
    assert spe.aux_records["stream"].to_list() == [1]
    assert [segment_bytes(spe, n)[0][1] for n in range(2)] == [SPE[:8], SPE[8:16]]


def test_inherited_threads_aux_records_belong_to_their_events_mmap() -> None:
    file = spe_perf_data()
    file.attrs = [(file.attr(), [100, 101])]
    file.records += [
        file.id_index([(100, 0), (101, 1)]),
        per_thread(file, 0, SPE[:8], idx=0, tid=70),
        per_thread(file, 0, SPE[:8], idx=1, tid=71),
        file.aux(0, 8, trailer=file.sample_id(id_=101, tid=999)),
        file.aux(0, 8, trailer=file.sample_id(id_=100, tid=998)),
    ]
    _, spe = read_spe(file.build())
    assert spe.aux_records["stream"].to_list() == [1, 0]
    assert spe.aux_records["tid"].to_list() == [999, 998]


def test_the_only_threads_stream_gets_all_aux_records() -> None:
    file = spe_perf_data()
    file.records += [
        per_thread(file, 0, SPE[:16], idx=0, tid=70),
        file.aux(0, 8, trailer=file.sample_id(id_=100, tid=70)),
        file.aux(8, 8, trailer=file.sample_id(id_=100, tid=999)),
    ]
    _, spe = read_spe(file.build())
    assert spe.aux_records["stream"].to_list() == [0, 0]


def test_announced_stream_without_data_is_a_gap() -> None:
    file = spe_perf_data(cpus=2)
    file.records += [
        file.aux(0, 8, cpu=0),
        file.auxtrace(0, SPE[:8], cpu=0),
        file.aux(0, 24, cpu=1),
    ]
    recording, spe = read_spe(file.build())
    assert spe.stream_cpus == [0, 1]
    assert segment_bytes(spe, 1) == []
    assert recording.quality.counts == {"aux_gap_bytes": 24}


@ORDERS
def test_aux_records_are_a_table(order: str) -> None:
    file = spe_perf_data(order, cpus=2)
    flags = TRUNCATED | PARTIAL | COLLISION | 0x100
    file.records += [
        file.aux(0, 24, trailer=file.sample_id(0, 100, pid=7, tid=8, time=123)),
        file.aux(24, 40, flags, trailer=file.sample_id(0, 100, pid=NOBODY, tid=NOBODY, time=456)),
        file.auxtrace(0, SPE),
    ]
    recording, spe = read_spe(file.build())
    assert recording.quality.counts == {"aux_truncated": 1, "aux_partial": 1, "aux_collision": 1}
    table = AUX_RECORDS.select(set(AUX_RECORDS.names) - {"source"})
    assert set(spe.aux_records.columns) == {*table.names, "stream"}
    assert spe.aux_records["stream"].dtype == pl.UInt32
    assert table.from_polars(spe.aux_records).to_pylist() == [
        {
            "cpu": 0,
            "tid": 8,
            "pid": 7,
            "time_ns": 123,
            "aux_offset": 0,
            "size_bytes": 24,
            "flags": 0,
            "truncated": False,
            "overwrite": False,
            "partial": False,
            "collision": False,
        },
        {
            "cpu": 0,
            "tid": None,
            "pid": None,
            "time_ns": 456,
            "aux_offset": 24,
            "size_bytes": 40,
            "flags": flags,
            "truncated": True,
            "overwrite": False,
            "partial": True,
            "collision": True,
        },
    ]


def test_aux_records_of_other_events_are_left_out() -> None:
    file = spe_perf_data()
    file.attrs.append((file.attr(33), [200]))
    file.records += [
        file.aux(0, 8, trailer=file.sample_id(id_=200)),
        file.aux(0, 8, trailer=file.sample_id(id_=100)),
        file.aux(8, 8, trailer=file.sample_id(id_=555)),
        file.auxtrace(0, SPE[:16]),
    ]
    recording, spe = read_spe(file.build())
    assert spe.aux_records["aux_offset"].to_list() == [0, 8]
    assert not recording.quality.counts


@ORDERS
def test_trailer_by_each_events_own_sample_type(order: str) -> None:
    file = spe_perf_data(order)
    with_stream_id = file.attr(sample_type=1 << 2 | 1 << 9 | 1 << 16)
    without = file.attr(flags=0, sample_type=1 << 16)
    file.attrs += [(with_stream_id, [101]), (without, [102])]
    file.records += [
        file.aux(0, 8, trailer=file.pack("QQQ", 77, 5, 101)),
        file.aux(8, 8, trailer=file.pack("Q", 102)),
        file.aux(16, 8, trailer=b""),
        file.auxtrace(0, SPE[:24]),
    ]
    _, spe = read_spe(file.build())
    assert spe.aux_records["time_ns"].to_list() == [77, None, None]
    assert spe.aux_records["tid"].to_list() == [None] * 3
    assert spe.aux_records["cpu"].to_list() == [0] * 3


def test_trailer_by_the_common_sample_type_without_identifier() -> None:
    file = spe_perf_data()
    sample_type = 1 << 1 | 1 << 2 | 1 << 6
    file.attrs = [
        (file.attr(type_, sample_type=sample_type), [n]) for type_, n in ((9, 100), (1, 200))
    ]
    file.records += [
        file.aux(0, 8, trailer=file.pack("IIQQ", 3, 4, 99, 100)),
        file.aux(8, 8, trailer=file.pack("IIQQ", 3, 4, 99, 200)),
        file.auxtrace(0, SPE[:16]),
    ]
    _, spe = read_spe(file.build())
    assert spe.aux_records.select("pid", "tid", "time_ns").rows() == [(3, 4, 99)]


def test_impossible_aux_numbers_are_damage() -> None:
    file = spe_perf_data()
    file.records += [
        file.aux(1 << 63, 8),
        file.aux(0, 1 << 63),
        file.record(11, bytes(16)),
        file.auxtrace(1 << 63, SPE[:8]),
        file.record(71, bytes(16)),
    ]
    recording, spe = read_spe(file.build())
    assert recording.quality.counts == {"perf_damaged_records": 5}
    assert (len(spe.aux_records), spe.stream_cpus) == (0, [])


def test_more_streams_than_perf_can_have_are_damage() -> None:
    file = spe_perf_data()
    file.records += [file.auxtrace(0, SPE[:8], cpu=cpu) for cpu in range(MOST_STREAMS + 2)]
    file.records += [file.aux(0, 8, cpu=cpu) for cpu in (0, MOST_STREAMS, MOST_STREAMS + 1)]
    recording, spe = read_spe(file.build())
    assert spe.stream_cpus == list(range(MOST_STREAMS))
    assert spe.aux_records["stream"].to_list() == [0]
    assert recording.quality.counts == {"perf_damaged_records": 4}
