"""Hand-built pages: every kind of event, byte order, long size, loss and damage."""

from __future__ import annotations

import polars as pl
import pytest
from builders_trace_dat import PAGE, Cpu, Instance, Machine, TraceDat

from spetrace.ingest.trace_dat.importer import read
from spetrace.tables.recording import Recording

MACHINES = [Machine("<", 8), Machine("<", 4), Machine(">", 8), Machine(">", 4)]
LE = Machine()


def decoded(machine: Machine, *pages: bytes) -> Recording:
    file = TraceDat(machine, instances=[Instance([Cpu(0, b"".join(pages))])])
    return read("x", memoryview(file.v7()))


def entries(recording: Recording) -> list[tuple[int, int, int]]:
    return recording.tracepoints["kvm_entry"].select("time_ns", "pid", "vcpu_pc").rows()


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_events_of_every_machine(machine: Machine) -> None:
    first = machine.event(machine.entry(100, 0xFFFF_8000_0000_1234))
    second = machine.long_event(machine.entry(-1, 2), delta=(1 << 27) - 1)
    recording = decoded(machine, machine.page(1 << 40, first, second), machine.page(1 << 41, first))
    assert entries(recording) == [
        (1 << 40, 100, 0xFFFF_8000_0000_1234),
        ((1 << 40) + (1 << 27) - 1, -1, 2),
        (1 << 41, 100, 0xFFFF_8000_0000_1234),
    ]
    assert recording.tracepoints["kvm_entry"]["comm"].to_list() == ["vcpu 0", None, "vcpu 0"]
    assert recording.quality.counts == {}


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_time_extend_adds_and_time_stamp_sets(machine: Machine) -> None:
    entry = machine.entry(1, 1)
    start = 0xF800_0000_0000_0000 | 5
    recording = decoded(
        machine,
        machine.page(
            start,
            machine.word(30, 3) + machine.pack("I", 2),
            machine.event(entry, delta=1),
            machine.word(31, 9) + machine.pack("I", 1),
            machine.event(entry, delta=1),
        ),
    )
    extended = start + (2 << 27) + 3 + 1
    stamped = 0xF800_0000_0000_0000 | ((1 << 27) + 9 + 1)
    assert [t % (1 << 64) for t, _, _ in entries(recording)] == [extended, stamped]


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_padding_ends_the_page_and_discarded_events_only_take_time(machine: Machine) -> None:
    event = machine.event(machine.entry(1, 1), delta=1)
    discarded = machine.word(29, 7) + machine.pack("I", 12) + bytes(8)
    end = machine.word(29, 0) + machine.pack("I", 0)
    page = machine.page(100, discarded, event, end, event)
    assert [t for t, _, _ in entries(decoded(machine, page, machine.page(900, event)))] == [
        108,
        901,
    ]


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_missed_events_are_counted_or_unknown(machine: Machine) -> None:
    event = machine.event(machine.entry(1, 1))
    recording = decoded(
        machine,
        machine.page(1, event, lost=41),
        machine.page(2, event, flags=1 << 31),
        machine.page(3, event, lost=1),
    )
    assert len(entries(recording)) == 3
    assert recording.quality.counts == {"trace_lost_events": 42, "trace_lost_unknown": 1}


def test_empty_pages_hold_nothing() -> None:
    event = LE.event(LE.entry(1, 1))
    assert len(entries(decoded(LE, LE.page(1), LE.page(2, event), LE.page(3)))) == 1


def test_unknown_ids_are_counted() -> None:
    known, unknown = LE.event(LE.entry(1, 1)), LE.event(LE.record(999, 1, b""))
    recording = decoded(LE, LE.page(1, known, unknown, known))
    assert recording.tracepoints["kvm_entry"]["index"].to_list() == [0, 1]
    assert recording.quality.counts == {"trace_unknown_events": 1}


@pytest.mark.parametrize(
    "damage",
    [
        LE.word(28, 0),
        LE.word(0, 0) + LE.pack("I", 3),
        LE.word(0, 0) + LE.pack("I", 4000),
        LE.word(0, 0),
        LE.word(30, 0),
        LE.word(0, 0) + LE.pack("I", 5) + bytes(4),
    ],
    ids=[
        "past the end",
        "length below its word",
        "long past the end",
        "no length",
        "no extension",
        "no id",
    ],
)
def test_damaged_page_gives_what_stands_before(damage: bytes) -> None:
    event = LE.event(LE.entry(1, 1))
    recording = decoded(LE, LE.page(1, event, damage), LE.page(2, event))
    assert [t for t, _, _ in entries(recording)] == [1, 2]
    assert recording.quality.counts == {"trace_damaged_pages": 1}


def test_page_longer_than_itself_is_skipped() -> None:
    event = LE.event(LE.entry(1, 1))
    bad = LE.pack("QQ", 1, PAGE) + bytes(PAGE - 16)
    recording = decoded(LE, bad, LE.page(2, event))
    assert [t for t, _, _ in entries(recording)] == [2]
    assert recording.quality.counts == {"trace_damaged_pages": 1}


def test_cut_page_gives_its_whole_events() -> None:
    event = LE.event(LE.entry(1, 1))
    recording = decoded(LE, LE.page(1, event), LE.page(2, event, event)[: 16 + 20 + 10])
    assert [t for t, _, _ in entries(recording)] == [1, 2]
    assert recording.quality.counts == {}


def test_larger_sub_buffers_are_read_as_pages() -> None:
    event = LE.event(LE.entry(1, 1))
    pages = LE.page(1, *[event] * 300, size=4 * PAGE) + LE.page(2, event, size=4 * PAGE)
    file = TraceDat(instances=[Instance([Cpu(0, pages)])], page_size=4 * PAGE)
    assert len(entries(read("x", memoryview(file.v7())))) == 301


def test_cpus_are_merged_by_time_then_cpu() -> None:
    def page(start: int, *deltas: int) -> bytes:
        return LE.page(start, *(LE.event(LE.entry(1, d), delta=d) for d in deltas))

    cpus = [Cpu(5, page(10, 0, 5)), Cpu(2, page(10, 0, 7)), Cpu(300, page(1, 0, 9, 7))]
    recording = read("x", memoryview(TraceDat(instances=[Instance(cpus)]).v7()))
    got = recording.tracepoints["kvm_entry"]
    expected = [(1, 300), (10, 2), (10, 5), (10, 300), (15, 5), (17, 2), (17, 300)]
    assert got.select("time_ns", "cpu").rows() == expected
    assert got["index"].equals(pl.Series("index", range(7), pl.UInt64))


def test_a_cpu_keeps_its_order_whatever_the_times_say() -> None:
    event = LE.event(LE.entry(1, 1))
    back = Cpu(0, LE.page(100, event) + LE.page(50, event) + LE.page(200, event))
    cpus = [back, Cpu(1, LE.page(120, event))]
    recording = read("x", memoryview(TraceDat(instances=[Instance(cpus)]).v7()))
    assert recording.tracepoints["kvm_entry"]["time_ns"].to_list() == [100, 50, 120, 200]
