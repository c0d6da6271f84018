"""AUXTRACE_INFO of both versions, TIME_CONV with and without short time, ID_INDEX."""

from __future__ import annotations

import pytest
from builders import spe_load_record
from builders_perf_data import PerfData, spe_perf_data
from ingest.perf_data.reading import read_bytes, read_spe, spe_rows

from spetrace.errors import InputError
from spetrace.ingest.perf_data.abi import Feature, RecordType
from spetrace.ingest.perf_data.auxtrace import AuxtraceInfo, parse_auxtrace_info
from spetrace.ingest.perf_data.tool_records import parse_id_index, parse_time_conversion
from spetrace.tables.recording import TimeConversion

MAGIC = 0x1010101010101010
NO_PMU = 2**64 - 1
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def info_body(order: str, *words: int, type_: int = 4) -> memoryview:
    return memoryview(PerfData(order).auxtrace_info(*words, type_=type_))[8:]


@ORDERS
def test_auxtrace_info_version_1(order: str) -> None:
    assert parse_auxtrace_info(info_body(order, 9, 1), order) == AuxtraceInfo(frozenset({9}), {})


@ORDERS
@pytest.mark.parametrize("parameters", [3, 4, 6])
@pytest.mark.parametrize("header", [4, 5])
def test_auxtrace_info_version_2_with_blocks_of_any_size(
    order: str, parameters: int, header: int
) -> None:
    rest = range(parameters - 2)
    cpus = [(0, 0x410FD0C0, 9), (1, 0x410FD400, 10), (5, 0x410FD000, NO_PMU)]
    words = [2, header, 9, len(cpus), *[0] * (header - 4)]
    for cpu, midr, pmu in cpus:
        words += [MAGIC, cpu, parameters, midr, pmu, *rest]
    parsed = parse_auxtrace_info(info_body(order, *words), order)
    midrs = {cpu: midr for cpu, midr, _ in cpus}
    assert parsed == AuxtraceInfo(frozenset({9, 10}), midrs)


def test_auxtrace_info_of_another_trace_format() -> None:
    assert parse_auxtrace_info(info_body("<", 9, 1, type_=3), "<") is None
    file = spe_perf_data()
    file.records = [file.auxtrace_info(type_=3), file.aux(0, 8), file.auxtrace(0, bytes(8))]
    file.features[Feature.PMU_MAPPINGS] = file.pack("II", 1, 9) + file.string("arm_spe_0")
    assert read_bytes(file.build()).spe is None


@pytest.mark.parametrize(
    "words", [(9,), (2, 4, 9), (2, 4, 9, 1), (2, 4, 9, 0), (2, 3, 9, 1, 0, 0, 0), (2, 99, 9, 1)]
)
def test_damaged_auxtrace_info(words: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        parse_auxtrace_info(info_body("<", *words), "<")
    file = spe_perf_data()
    file.records = [file.auxtrace_info(*words)]
    assert read_bytes(file.build()).quality.counts == {"perf_damaged_records": 1}


def test_midrs_by_cpu_and_for_all_others() -> None:
    file = spe_perf_data()
    file.records = [file.auxtrace_info(2, 4, 9, 1, MAGIC, 3, 4, 0x410FD400, 9, 1024, 0)]
    _, spe = read_spe(file.build())
    assert spe.midrs == {3: 0x410FD400, None: 0x410FD0C0}
    file.features[Feature.CPUID] = file.string("GenuineIntel,6,85,7")
    _, spe = read_spe(file.build())
    assert spe.midrs == {3: 0x410FD400}


@ORDERS
def test_time_conversion_with_and_without_short_time(order: str) -> None:
    file = PerfData(order)
    plain = file.pack("QQQ", 10, 40960, 1000)
    short = plain + file.pack("QQBB", 7, (1 << 56) - 1, 1, 1) + bytes(6)
    assert parse_time_conversion(memoryview(plain), order) == TimeConversion(10, 40960, 1000)
    expected = TimeConversion(10, 40960, 1000, 7, (1 << 56) - 1, True)
    assert parse_time_conversion(memoryview(short), order) == expected


@ORDERS
@pytest.mark.parametrize("last", [False, True])
def test_time_conversion_before_or_after_the_data(order: str, last: bool) -> None:
    file = spe_perf_data(order)
    file.records += [file.aux(0, 64), file.auxtrace(0, spe_load_record(1_000_000, 0x4000, 0x8000))]
    file.records.insert(len(file.records) if last else 0, file.time_conv())
    _, spe = read_spe(file.build())
    assert spe_rows(spe)["time_ns"].to_list() == [40_001_000]


@ORDERS
def test_short_counters_are_widened_around_the_conversions_time(order: str) -> None:
    file = spe_perf_data(order)
    body = file.pack("QQQ", 0, 1, 0) + file.pack("QQBB", 0x1F8, 0xFF, 1, 1) + bytes(6)
    data = b"".join(spe_load_record(ticks, 0x4000, 0x8000) for ticks in (0xF8, 0xFF, 0x00, 0x10))
    file.records += [file.record(RecordType.TIME_CONV, body), file.auxtrace(0, data)]
    _, spe = read_spe(file.build())
    assert spe_rows(spe)["time_ns"].to_list() == [0x1F8, 0x1FF, 0x200, 0x210]


def test_impossible_time_conversion_is_damage() -> None:
    file = spe_perf_data()
    file.records += [file.time_conv(shift=64)]
    recording, spe = read_spe(file.build())
    assert spe.time_conversion is None
    assert recording.quality.counts == {"perf_damaged_records": 1}


@ORDERS
def test_id_index_gives_the_mmap_of_each_id(order: str) -> None:
    file = PerfData(order)
    record = file.id_index([(100, 0), (101, 1)])
    assert parse_id_index(memoryview(record)[8:], order) == {100: 0, 101: 1}
    cut = file.pack("Q", 1 << 62) + record[16:]
    assert parse_id_index(memoryview(cut), order) == {100: 0, 101: 1}


def test_damaged_tool_records_are_counted() -> None:
    file = spe_perf_data()
    kinds = (
        "HEADER_ATTR",
        "EVENT_UPDATE",
        "HEADER_FEATURE",
        "AUXTRACE_INFO",
        "ID_INDEX",
        "TIME_CONV",
    )
    file.records += [file.record(RecordType[kind], bytes(4)) for kind in kinds]
    recording, spe = read_spe(file.build())
    assert recording.quality.counts == {"perf_damaged_records": len(kinds)}
    assert spe.midrs == {None: 0x410FD0C0}
