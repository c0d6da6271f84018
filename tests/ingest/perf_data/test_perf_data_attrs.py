"""Event attrs: sizes, flag bits of both byte orders, ids, names, samples by event."""

from __future__ import annotations

import pytest
from builders_perf_data import SAMPLE_ID_ALL, SAMPLE_TYPE, SOFTWARE_TYPE, PerfData, spe_perf_data
from ingest.perf_data.reading import read_bytes, read_spe

from spetrace.ingest.perf_data.abi import AttrFlag, Feature, RecordType
from spetrace.ingest.perf_data.attrs import parse_attr

EXCLUDE_USER, EXCLUDE_KERNEL = 1 << 4, 1 << 5
USE_CLOCKID = 1 << 25


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [64, 72, 80, 96, 104, 112, 120, 128, 136, 200])
def test_attr_of_any_size(order: str, size: int) -> None:
    flags = SAMPLE_ID_ALL | EXCLUDE_USER | USE_CLOCKID
    attr = PerfData(order).attr(7, config=5, flags=flags, size=size, clockid=1)
    parsed = parse_attr(memoryview(attr), order)
    assert (parsed.type, parsed.config, parsed.sample_type) == (7, 5, SAMPLE_TYPE)
    assert parsed.flags == AttrFlag(flags)
    assert parsed.clockid == (1 if size >= 96 else None)


def test_attr_of_size_0_is_the_first_version() -> None:
    attr = bytearray(PerfData().attr(size=64))
    attr[4:8] = bytes(4)
    assert parse_attr(memoryview(attr), "<").sample_type == SAMPLE_TYPE


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("flags", [0, EXCLUDE_USER, EXCLUDE_KERNEL])
def test_excluded_levels_of_the_spe_event(order: str, flags: int) -> None:
    file = spe_perf_data(order)
    other = file.attr(SOFTWARE_TYPE, flags=SAMPLE_ID_ALL | EXCLUDE_USER | EXCLUDE_KERNEL)
    file.attrs = [(other, [200]), (file.attr(flags=SAMPLE_ID_ALL | flags), [100])]
    _, spe = read_spe(file.build())
    assert spe.exclude_user == bool(flags & EXCLUDE_USER)
    assert spe.exclude_kernel == bool(flags & EXCLUDE_KERNEL)


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_samples_are_counted_by_identifier(order: str, pipe: bool) -> None:
    file = PerfData(order)
    file.attrs = [(file.attr(2, config=61), [7, 8]), (file.attr(2, config=62), [9])]
    names = file.event_descriptions(["kvm:kvm_exit", "kvm:kvm_entry"])
    file.features = {Feature.HOSTNAME: file.string("box"), Feature.EVENT_DESC: names}
    for id_ in (7, 9, 8, 7, 5):
        file.add(RecordType.SAMPLE, file.pack("QII", id_, 1, 2))
    recording = read_bytes(file.build_pipe() if pipe else file.build())
    assert recording.properties["events"] == [
        {"name": "kvm:kvm_exit", "type": "tracepoint", "config": 61, "samples": 3},
        {"name": "kvm:kvm_entry", "type": "tracepoint", "config": 62, "samples": 1},
    ]
    assert recording.spe is None


def test_samples_are_counted_by_id_behind_other_fields() -> None:
    file = PerfData()
    sample_type = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 6
    file.attrs = [(file.attr(2, sample_type=sample_type), [n]) for n in (7, 8)]
    file.add(RecordType.SAMPLE, file.pack("QIIQQ", 8, 8, 8, 8, 7))
    file.add(RecordType.SAMPLE, file.pack("QII", 8, 8, 8))
    events = read_bytes(file.build()).properties["events"]
    assert [event["samples"] for event in events] == [1, 0]


def test_samples_of_the_only_event_need_no_id() -> None:
    file = PerfData()
    file.attrs = [(file.attr(0, sample_type=1), [])]
    file.records = [file.record(RecordType.SAMPLE, bytes(8))] * 3
    (event,) = read_bytes(file.build()).properties["events"]
    assert event == {"name": "hardware/config=0x1/", "type": "hardware", "config": 1, "samples": 3}


def test_event_update_names_an_event() -> None:
    file = PerfData()
    file.attrs = [(file.attr(33), [7, 8])]
    file.add(RecordType.EVENT_UPDATE, file.pack("QQ", 2, 8) + b"cycles:u\0")
    file.add(RecordType.EVENT_UPDATE, file.pack("QQ", 0, 8) + b"unit\0")
    (event,) = read_bytes(file.build_pipe()).properties["events"]
    assert (event["name"], event["type"]) == ("cycles:u", "33")


def test_ids_outside_the_file_are_counted_as_damage() -> None:
    file = spe_perf_data()
    data = bytearray(file.build())
    ids_section = data.index(file.pack("QQ", 104, 8))
    data[ids_section : ids_section + 16] = file.pack("QQ", 104, 1 << 40)
    recording = read_bytes(bytes(data))
    assert recording.quality.counts == {"perf_damaged_records": 1}
    assert len(recording.properties["events"]) == 1


def test_ids_that_all_events_claim_are_taken_once() -> None:
    file = PerfData()
    file.attrs = [(file.attr(2), [7])] * 50
    data = bytearray(file.build())
    for n in range(50):
        at = 104 + 50 * 8 + n * 144 + 128
        data[at : at + 16] = file.pack("QQ", 0, len(data))
    recording = read_bytes(bytes(data))
    assert recording.quality.counts == {"perf_damaged_records": 49}
