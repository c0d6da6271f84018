"""perf.data: any bytes give a recording or our error; chunking doesn't matter; the kernel is right."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from builders import spe_load_record
from builders_perf_data import NOBODY, PerfData, spe_perf_data
from builders_side_band import build_id_record, comm, fork, mmap, mmap2
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.perf_data.reading import read_bytes, read_spe, spe_rows
from reader_promises import assert_as_declared, assert_clear

from spetrace.errors import InputError
from spetrace.ingest.perf_data.abi import Feature, RecordType
from spetrace.ingest.perf_data.framing import RecordWalk
from spetrace.tables.recording import Recording

RECORDS = b"".join(spe_load_record(1000 + n, 0x4000 + 4 * n, 0x8000) for n in range(3))


def with_data(file: PerfData) -> PerfData:
    """A bit of all that is read."""
    data = RECORDS
    file.features[Feature.EVENT_DESC] = file.event_descriptions(["arm_spe_0//"])
    file.features[Feature.PMU_MAPPINGS] = file.pack("II", 1, 9) + file.string("arm_spe_0")
    file.features[Feature.BUILD_ID] = build_id_record(file, "/bin/a", bytes(range(20)))
    file.records += [
        mmap(file, "[kernel.kallsyms]_text"),
        mmap2(file, "/bin/a", bytes(range(20))),
        build_id_record(file, "/bin/b", bytes(range(16))),
        comm(file, "first", 41, 10),
        fork(file, 42, 41, 20),
        file.id_index([(100, 0), (101, 1)]),
        file.time_conv(),
        file.aux(0, 61, 1),
        file.auxtrace(0, data[:61]),
        file.aux(61, 67, 4),
        file.auxtrace(61, data[61:]),
        file.auxtrace(0, data, cpu=NOBODY, idx=7, tid=3),
        compressed(
            file, file.aux(128, 64, 8) + file.record(RecordType.SAMPLE, file.pack("Q", 100))
        ),
        file.record(RecordType.LOST, file.pack("QQ", 100, 3)),
    ]
    return file


def compressed(file: PerfData, records: bytes) -> bytes:
    sink = io.BytesIO()
    stream = pa.CompressedOutputStream(pa.PythonFile(sink, "w"), "zstd")
    stream.write(records)
    stream.flush()
    record = file.record(RecordType.COMPRESSED, sink.getvalue())
    stream.close()
    return record


FILES = [
    with_data(spe_perf_data("<")).build(),
    with_data(spe_perf_data(">")).build(),
    with_data(spe_perf_data("<")).build_pipe(),
]
FORMS = pytest.mark.parametrize("data", FILES, ids=["little", "big", "pipe"])


def read_or_refuse(data: bytes, *, decode: bool = True) -> Recording | None:
    """What there is, as declared; None where it is refused in a clear sentence."""
    try:
        recording = read_bytes(data)
    except InputError as error:
        assert_clear(error)
        return None
    assert_as_declared(recording, len(data), decode=decode)
    return recording


def offsets_and_times(recording: Recording) -> set[tuple[int, int | None]]:
    return set(spe_rows(recording.spe).select("aux_offset", "time_ns").iter_rows())


@FORMS
def test_whole_file_has_no_damage(data: bytes) -> None:
    recording, spe = read_spe(data)
    assert set(recording.quality.counts) == {
        "aux_truncated",
        "aux_partial",
        "aux_collision",
        "perf_lost_events",
    }
    assert spe_rows(spe).height == 6


@FORMS
def test_truncations_give_a_recording_or_our_error(data: bytes) -> None:
    whole = offsets_and_times(read_bytes(data))
    for size in range(0, len(data), 11 if data[:8] == b"2ELIFREP" else 7):
        decode = size % 28 == 0
        part = read_or_refuse(data[:size], decode=decode)
        if decode and part is not None and part.spe is not None:
            assert offsets_and_times(part) <= whole


@FORMS
@settings(deadline=None, max_examples=60)
@given(drawn=st.data())
def test_damaged_bytes_give_a_recording_or_our_error(data: bytes, drawn: st.DataObject) -> None:
    damaged = bytearray(data)
    places = st.lists(st.integers(8, len(data) - 1), min_size=1, max_size=4)
    for at in drawn.draw(places):
        damaged[at] = drawn.draw(st.integers(0, 255))
    recording = read_or_refuse(bytes(damaged))
    assert recording is None or not recording.tracepoints


@FORMS
def test_damage_at_every_few_bytes_gives_a_recording_or_our_error(data: bytes) -> None:
    for at in range(8, len(data), 29):
        flipped = data[at] ^ (0xFF, 0x80, 0x01)[at % 3]
        recording = read_or_refuse(data[:at] + bytes([flipped]) + data[at + 1 :])
        assert recording is None or not recording.tracepoints


@settings(deadline=None, max_examples=60)
@given(magic=st.sampled_from([b"PERFILE2", b"2ELIFREP", b""]), data=st.binary(max_size=300))
def test_any_bytes_give_a_recording_or_our_error(magic: bytes, data: bytes) -> None:
    recording = read_or_refuse(magic + data)
    assert recording is None or recording.spe is None


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=300), order=st.sampled_from("<>"))
def test_any_bytes_as_records_give_a_recording(data: bytes, order: str) -> None:
    file = spe_perf_data(order)
    file.records.append(data)
    read_or_refuse(file.build_pipe())
    recording = read_bytes(file.build())
    assert_as_declared(recording, len(file.build()))
    assert not recording.tracepoints


@settings(deadline=None, max_examples=50)
@given(cuts=st.sets(st.integers(1, len(RECORDS) - 1)))
def test_any_chunks_give_the_same_records(cuts: set[int]) -> None:
    whole, chunked = spe_perf_data(), spe_perf_data()
    whole.records.append(whole.auxtrace(0, RECORDS))
    places = [0, *sorted(cuts), len(RECORDS)]
    for begin, end in pairwise(places):
        chunked.records.append(chunked.auxtrace(begin, RECORDS[begin:end]))
    (_, one), (_, many) = read_spe(whole.build()), read_spe(chunked.build())
    assert spe_rows(many).equals(spe_rows(one))


def plain_walk(data: bytes, order: str, payloads: bool) -> Iterator[tuple[int, int, int]]:
    """Offset, type and size of each record, as the kernel should find them."""
    byte_order, at = ("little" if order == "<" else "big"), 0

    def integer(place: int, width: int) -> int:
        return int.from_bytes(data[place : place + width], byte_order)

    while at + 8 <= len(data):
        type_, size = integer(at, 4), integer(at + 6, 2)
        if size < 8 or at + size > len(data):
            return
        yield at, type_, size
        if payloads and type_ == RecordType.AUXTRACE and size >= 16:
            at += integer(at + 8, 8)
        elif payloads and type_ == RecordType.HEADER_TRACING_DATA and size >= 12:
            at += -(-integer(at + 8, 4) // 8) * 8
        at += size


@st.composite
def record_streams(draw: st.DrawFn) -> tuple[bytes, str]:
    file = PerfData(draw(st.sampled_from("<>")))
    types = st.sampled_from([0, 3, 9, 66, 71, 1 << 31])
    data = b""
    for type_, body in draw(st.lists(st.tuples(types, st.binary(max_size=24)), max_size=8)):
        payload = draw(st.sampled_from([0, 5, 8, 1 << 32, 1 << 63]))
        counted = file.pack("Q", payload) if type_ == 71 else file.pack("I", payload & 0xFFFF_FFFF)
        data += file.record(type_, (counted if type_ in (66, 71) else b"") + body)
        data += bytes(min(payload, 8) if type_ in (66, 71) else 0)
    return data + draw(st.binary(max_size=16)), file.order


@settings(deadline=None, max_examples=120)
@given(stream=record_streams(), payloads=st.booleans())
def test_kernel_walks_as_plain_python(stream: tuple[bytes, str], payloads: bool) -> None:
    data, order = stream
    walk = RecordWalk(np.frombuffer(data, np.uint8), 0, len(data), order, payloads=payloads)
    found = [
        row
        for block in walk
        for row in zip(
            block.offsets.tolist(), block.types.tolist(), block.sizes.tolist(), strict=True
        )
    ]
    assert found == list(plain_walk(data, order, payloads))
