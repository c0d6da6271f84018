"""Tracepoints of perf.data: any bytes give frames or our error; the kernel finds what Python finds."""

from __future__ import annotations

import struct

import numpy as np
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
)
from builders_side_band import comm, fork
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.perf_data.reading import read_bytes
from reader_promises import assert_as_declared, assert_clear, event_rows

from spetrace.errors import InputError
from spetrace.ingest.perf_data.abi import AttrFlag, ReadFormat, SampleType
from spetrace.ingest.perf_data.attrs import EventAttr
from spetrace.ingest.perf_data.sample_kernel import locate_samples
from spetrace.ingest.perf_data.sample_layout import sample_layout
from spetrace.ingest.perf_data.tracepoint_samples import Samples

WITH_CHAIN = TRACED | SampleType.READ | SampleType.CALLCHAIN


def with_samples(order: str) -> PerfData:
    file = traced(order, WITH_CHAIN, read_format=int(ReadFormat.GROUP))
    before = file.pack("2Q3Q", 1, 5, 2, 8, 9)
    for n in range(4):
        raw = {"before_raw": before, "cpu": n % 2, "tid": 41 + n % 2}
        file.records += [
            sample(file, entry(file, n), id_=ENTRY_EVENT, time=100 - n, **raw),
            sample(file, note(file, f"n{n}", n), id_=NOTE_EVENT, time=50 + n, **raw),
        ]
    file.records += [comm(file, "first", 41, 60), fork(file, 42, 41, 70)]
    return file


FILES = {
    "little": with_samples("<").build(),
    "big": with_samples(">").build(),
    "pipe": pipe(with_samples("<")),
}
FORMS = pytest.mark.parametrize("form", FILES)


def samples_in(data: bytes) -> int:
    """Samples that were decoded or counted as undecoded; none where the file is refused."""
    try:
        recording = read_bytes(data)
    except InputError as error:
        assert_clear(error)
        return 0
    assert_as_declared(recording, len(data))
    return event_rows(recording) + recording.quality.counts.get("perf_undecoded_samples", 0)


@FORMS
def test_whole_file_has_no_damage(form: str) -> None:
    recording = read_bytes(FILES[form])
    assert {n: len(recording.tracepoints[n]) for n in recording.tracepoints} == {
        "kvm_entry": 4,
        "note": 4,
    }
    assert recording.tracepoints["note"]["text"].to_list() == ["n0", "n1", "n2", "n3"]
    assert recording.quality.counts == {}


@FORMS
def test_truncations_give_frames_or_our_error(form: str) -> None:
    data = FILES[form]
    for size in range(0, len(data), 11):
        assert samples_in(data[:size]) <= 8


@FORMS
def test_damage_at_every_few_bytes_gives_frames_or_our_error(form: str) -> None:
    data = FILES[form]
    for at in range(8, len(data), 7):
        flipped = data[at] ^ (0xFF, 0x80, 0x01)[at % 3]
        assert samples_in(data[:at] + bytes([flipped]) + data[at + 1 :]) <= len(data) // 16


@FORMS
@settings(deadline=None, max_examples=60)
@given(drawn=st.data())
def test_damaged_bytes_give_frames_or_our_error(form: str, drawn: st.DataObject) -> None:
    damaged = bytearray(FILES[form])
    for at in drawn.draw(st.lists(st.integers(8, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[at] = drawn.draw(st.integers(0, 255))
    assert samples_in(bytes(damaged)) <= len(damaged) // 16


@settings(deadline=None, max_examples=40)
@given(
    order=st.sampled_from("<>"),
    times=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=40),
)
def test_index_is_the_place_by_time_then_in_the_file(
    order: str, times: list[tuple[bool, int]]
) -> None:
    file = traced(order)
    for place, (is_note, time) in enumerate(times):
        raw = note(file, "x", place) if is_note else entry(file, place)
        id_ = NOTE_EVENT if is_note else ENTRY_EVENT
        file.records.append(sample(file, raw, id_=id_, time=time))
    frames = read_bytes(file.build()).tracepoints
    found = {}
    for name, field in (("kvm_entry", "vcpu_pc"), ("note", "level")):
        if name in frames:
            assert frames[name]["index"].is_sorted()
            found |= dict(frames[name].select("index", field).iter_rows())
    wanted = sorted(range(len(times)), key=lambda place: times[place][1])
    assert [found[index] for index in range(len(found))] == wanted


def plain_sample(record: bytes, order: str, attr: EventAttr) -> tuple[int, ...] | None:
    """Time, pid, tid, cpu, place and length of RAW; None where the record is too short."""
    at = 8
    known = {"time": -1, "pid": -1, "tid": -1, "cpu": -1}

    def take(form: str) -> tuple[int, ...]:
        nonlocal at
        values = struct.unpack_from(order + form, record, at)
        at += struct.calcsize(order + form)
        return values

    has = attr.sample_type
    group = bool(attr.read_format & ReadFormat.GROUP)
    times = (attr.read_format & 3).bit_count()
    each = 1 + (attr.read_format & (ReadFormat.ID | ReadFormat.LOST)).bit_count()
    try:
        take("Q" * (has & (SampleType.IDENTIFIER | SampleType.IP)).bit_count())
        if has & SampleType.TID:
            known["pid"], known["tid"] = take("ii")
        if has & SampleType.TIME:
            known["time"] = max(take("q")[0], -1)
        take("Q" * (has & (SampleType.ADDR | SampleType.ID | SampleType.STREAM_ID)).bit_count())
        if has & SampleType.CPU:
            known["cpu"] = take("iI")[0]
        take("Q" * (has & SampleType.PERIOD).bit_count())
        if has & SampleType.READ:
            members = take("Q")[0] if group else 0
            take("Q" * times)
            at += 8 * each * (members if group else 1)
        if has & SampleType.CALLCHAIN:
            (callers,) = take("Q")
            at += 8 * callers
        (length,) = take("I")
    except (struct.error, OverflowError):
        return None
    return (*known.values(), at, length) if at + length <= len(record) else None


@st.composite
def sample_records(draw: st.DrawFn) -> tuple[bytes, str, EventAttr]:
    order = draw(st.sampled_from("<>"))
    fields = draw(st.sets(st.sampled_from(list(SampleType)))) | {SampleType.RAW}
    read_format = sum(draw(st.sets(st.sampled_from(list(ReadFormat)))))
    attr = EventAttr(2, 7, sum(fields), read_format, AttrFlag(0), None)
    words = st.one_of(
        st.integers(0, 3), st.sampled_from([1 << 32, 1 << 63, (1 << 64) - 1, 1 << 60])
    )
    body = b"".join(struct.pack(f"{order}Q", word) for word in draw(st.lists(words, max_size=24)))
    return bytes(8) + body + draw(st.binary(max_size=7)), order, attr


@settings(deadline=None, max_examples=200)
@given(drawn=sample_records(), lead=st.integers(0, 5))
def test_kernel_locates_as_plain_python(drawn: tuple[bytes, str, EventAttr], lead: int) -> None:
    record, order, attr = drawn
    data = np.frombuffer(bytes(lead) + record + b"\1\1\1\1", np.uint8)
    out = Samples.room(1)
    layouts = np.array([sample_layout(attr)], np.int64)
    offsets, sizes = np.array([lead]), np.array([len(record)])
    events = np.zeros(1, np.int32)
    count = locate_samples(data, offsets, sizes, events, layouts, order == ">", tuple(out))
    found = [
        (time, pid, tid, cpu, start - lead, length)
        for time, pid, tid, cpu, start, length, _event in zip(
            *(values[:count].tolist() for values in out), strict=True
        )
    ]
    wanted = plain_sample(record, order, attr)
    assert found == ([] if wanted is None else [wanted])
