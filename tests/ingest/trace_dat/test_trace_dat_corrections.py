"""Time corrections, compared with trace-cmd's formulas in whole numbers."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from builders_trace_dat import Cpu, Instance, Machine, TraceDat

from spetrace.ingest.trace_dat.importer import read
from spetrace.ingest.trace_dat.scaling import multiply_shift

LE = Machine()


def times_with(
    *options: tuple[int, bytes], times: tuple[int, ...] = (1000,), cpu: int = 0
) -> list[int]:
    pages = b"".join(LE.page(t, LE.event(LE.entry(1, 1))) for t in times)
    file = TraceDat(instances=[Instance([Cpu(cpu, pages)])], options=options).v7()
    return read("x", memoryview(file)).tracepoints["kvm_entry"]["time_ns"].to_list()


def time_shift(
    flags: int, *cpus: list[tuple[int, int, int, int]], fractions: bool = True
) -> tuple[int, bytes]:
    """A TIME_SHIFT option; samples are (time, offset, scaling, fraction)."""
    data = struct.pack("<QII", 0x77, flags, len(cpus))
    for samples in cpus:
        data += struct.pack("<I", len(samples))
        for part in range(3):
            data += b"".join(struct.pack("<q", sample[part]) for sample in samples)
    if fractions:
        data += b"".join(struct.pack("<q", s[3]) for samples in cpus for s in samples)
    return 12, data


def test_date_adds_microseconds_and_offset_nanoseconds() -> None:
    assert times_with((1, b"0x10\0"), (7, b"-5\0")) == [1000 + 16_000 - 5]


def test_number_that_is_none_adds_nothing() -> None:
    assert times_with((7, b"soon\0")) == [1000]


def test_tsc2nsec_scales_with_a_wide_product() -> None:
    tsc = (14, struct.pack("<IIQ", 0x8000_0001, 31, 7))
    big = (1 << 61) + 12345
    assert times_with(tsc, (7, b"3"), times=(1000, big)) == [
        (t * 0x8000_0001 >> 31) + 3 for t in (1000, big)
    ]


@pytest.mark.parametrize("shift", [0, 1, 31, 63])
def test_multiply_shift_is_exact_in_128_bits(shift: int) -> None:
    values = [0, 1, 0xFFFF_FFFF, 1 << 32, 0x0123_4567_89AB_CDEF, (1 << 64) - 1]
    for factor in (1, 3, 0xFFFF_FFFF, 0xDEAD_BEEF_1234_5678):
        got = multiply_shift(np.array(values, np.uint64), np.uint64(factor), shift).tolist()
        assert got == [(v * factor >> shift) % (1 << 64) for v in values]


def test_one_sample_adds_its_offset() -> None:
    assert times_with(time_shift(1, [(5, -300, 9, 9)])) == [700]


def test_offset_of_the_sample_before_is_added_and_time_scaled() -> None:
    samples = [(2000, 20, 4, 1), (1000, 10, 2, 0), (3000, 30, 1, 0), (1000, 99, 9, 9)]
    got = times_with(time_shift(0, samples), times=(500, 1500, 2000, 2500, 9000))
    assert got == [
        500 * 2 + 10,
        1500 * 2 + 10,
        (2000 * 4 >> 1) + 20,
        (2500 * 4 >> 1) + 20,
        (9000 * 4 >> 1) + 20,
    ]


def test_interpolation_follows_the_slope() -> None:
    samples = [(1000, 10, 1, 0), (2000, 30, 1, 0), (3000, 0, 1, 0)]
    got = times_with(time_shift(1, samples), times=(500, 1500, 2500))
    assert got == [
        500 + 10 - int((500 * 20 - 500) / 1000),
        1500 + 10 + (500 * 20 + 500) // 1000,
        2500 + 30 + int((500 * -30 + 500) / 1000),
    ]


def test_cpu_beyond_the_table_is_left_as_it_is() -> None:
    assert times_with(time_shift(0, [(5, 50, 1, 0)], []), cpu=2) == [1000]
    assert times_with(time_shift(0, [(5, 50, 1, 0)], []), cpu=1) == [1000]


def test_samples_without_fractions_are_only_scaled() -> None:
    samples = [(0, 1, 3, 60), (10, 2, 1, 60)]
    assert times_with(time_shift(0, samples, fractions=False), times=(5,)) == [16]


def test_cut_time_shift_is_left_out_and_counted() -> None:
    id_, data = time_shift(0, [(5, 50, 1, 0)])
    pages = LE.page(1000, LE.event(LE.entry(1, 1)))
    file = TraceDat(instances=[Instance([Cpu(0, pages)])], options=[(id_, data[:30])]).v7()
    recording = read("x", memoryview(file))
    assert recording.tracepoints["kvm_entry"]["time_ns"].to_list() == [1000]
    assert recording.quality.counts == {"trace_damaged_sections": 1}


def test_host_of_a_guest_recording_is_named() -> None:
    pages = LE.page(1, LE.event(LE.entry(1, 1)))
    file = TraceDat(instances=[Instance([Cpu(0, pages)])], options=[time_shift(0)]).v7()
    assert read("x", memoryview(file)).properties["host_trace_id"] == "0x0000000000000077"
