"""Compressed records: of any framing, cut, damaged, and bombs."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from itertools import accumulate, pairwise

import pyarrow as pa
import pytest
from builders_perf_data import SOFTWARE_TYPE, PerfData, spe_perf_data
from ingest.perf_data.reading import read_bytes, read_spe, segment_bytes

from spetrace.ingest.perf_data.abi import Feature, RecordType
from spetrace.ingest.perf_data.zstd_frames import LAST_BLOCK, whole_part
from spetrace.tables.recording import Recording

MAGIC = b"\x28\xb5\x2f\xfd"
SPE = bytes(range(1, 65))


def flushed(parts: list[bytes]) -> list[bytes]:
    """The parts compressed as perf does: one frame, flushed after each part, never finished."""
    sink = io.BytesIO()
    stream = pa.CompressedOutputStream(pa.PythonFile(sink, "w"), "zstd")
    ends = [0]
    for part in parts:
        stream.write(part)
        stream.flush()
        ends.append(len(sink.getvalue()))
    whole = sink.getvalue()
    stream.close()
    return [whole[begin:end] for begin, end in pairwise(ends)]


def frames(parts: list[bytes]) -> list[bytes]:
    """The parts compressed one by one, each a frame of its own that tells its size."""
    return [pa.compress(part, codec="zstd", asbytes=True) for part in parts]


def split(parts: list[bytes]) -> list[bytes]:
    """One flushed frame, its payloads cut at any place."""
    whole = b"".join(flushed(parts))
    return [whole[at : at + 7] for at in range(0, len(whole), 7)]


def record_81(file: PerfData, payload: bytes) -> bytes:
    return file.record(RecordType.COMPRESSED, payload)


def record_83(file: PerfData, payload: bytes) -> bytes:
    padding = bytes(-len(payload) % 8)
    return file.record(RecordType.COMPRESSED2, file.pack("Q", len(payload)) + payload + padding)


def aux_parts(file: PerfData, count: int = 8) -> list[bytes]:
    """AUX records, divided so that some go on from one part into the next."""
    data = b"".join(file.aux(8 * n, 8) for n in range(count))
    cuts = [0, *sorted({(37 * n) % len(data) for n in range(1, 9)}), len(data)]
    return [data[begin:end] for begin, end in pairwise(cuts)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compress", [flushed, frames, split])
@pytest.mark.parametrize("wrap", [record_81, record_83])
def test_compressed_records_among_chunks(
    order: str,
    compress: Callable[[list[bytes]], list[bytes]],
    wrap: Callable[[PerfData, bytes], bytes],
) -> None:
    file = spe_perf_data(order)
    payloads = compress(aux_parts(file))
    file.records += [wrap(file, payload) for payload in payloads]
    file.records.insert(len(payloads) // 2 + 1, file.auxtrace(0, SPE))
    file.features[Feature.COMPRESSED] = file.pack("5I", 1, 1, 3, 5, 1 << 20)
    recording, spe = read_spe(file.build())
    assert spe.aux_records["aux_offset"].to_list() == list(range(0, 64, 8))
    assert segment_bytes(spe) == [(0, SPE)]
    assert not recording.quality.counts
    assert recording.properties["compression_level"] == 3


def samples_of(recording: Recording) -> int:
    return recording.properties["events"][0]["samples"]


def sampled() -> PerfData:
    file = PerfData()
    file.attrs = [(file.attr(SOFTWARE_TYPE), [7])]
    return file


def sample_parts(file: PerfData, parts: int, each: int) -> list[bytes]:
    return [file.record(RecordType.SAMPLE, file.pack("QQ", 7, n)) * each for n in range(parts)]


@pytest.mark.parametrize("wrap", [record_81, record_83])
def test_cut_stream_gives_what_its_whole_records_hold(
    wrap: Callable[[PerfData, bytes], bytes],
) -> None:
    file = sampled()
    file.data_size = 0
    records = [wrap(file, payload) for payload in flushed(sample_parts(file, 10, 1000))]
    ends = list(accumulate(map(len, records)))
    head = len(file.build())
    file.records = records
    data = file.build()
    for whole, (begin, end) in enumerate(pairwise([0, *ends])):
        for size in (begin, begin + 8, end - 1):
            recording = read_bytes(data[: head + size])
            assert samples_of(recording) == 1000 * whole
            missing = 0 if size == begin else end - size
            assert recording.quality.counts.get("file_truncated_bytes", 0) == missing
    assert samples_of(read_bytes(data)) == 10_000


def test_stream_cut_in_a_block_gives_the_blocks_before() -> None:
    file = sampled()
    payloads = flushed(sample_parts(file, 3, 1000))
    file.records = [record_81(file, payload) for payload in [*payloads[:2], payloads[2][:-1]]]
    recording = read_bytes(file.build())
    assert samples_of(recording) == 2000
    assert recording.quality.counts == {"perf_damaged_records": 1}


def test_record_cut_by_the_streams_end_lacks_its_rest() -> None:
    file = sampled()
    (part,) = sample_parts(file, 1, 10)
    file.records = [record_81(file, payload) for payload in flushed([part[:-4]])]
    recording = read_bytes(file.build())
    assert samples_of(recording) == 9
    assert recording.quality.counts == {"file_truncated_bytes": 4}


def test_damaged_payload_ends_the_stream_and_is_counted() -> None:
    file = sampled()
    payloads = frames(sample_parts(file, 3, 100_000))
    payloads[2] = payloads[2][:-12] + b"\xff" * 12
    file.records = [record_81(file, payload) for payload in payloads]
    recording = read_bytes(file.build())
    assert 190_000 < samples_of(recording) <= 200_000
    assert recording.quality.counts == {"perf_damaged_records": 1}


def test_payloads_that_are_no_zstd_are_damage() -> None:
    file = sampled()
    file.records = [record_81(file, b"no zstd at all")]
    assert read_bytes(file.build()).quality.counts == {"perf_damaged_records": 1}


def test_compressed2_that_claims_more_than_it_has_is_damage() -> None:
    file = sampled()
    file.records = [file.record(RecordType.COMPRESSED2, file.pack("QQ", 9, 0))]
    assert read_bytes(file.build()).quality.counts == {"perf_damaged_records": 1}


def test_record_size_below_8_in_compressed_data_is_damage() -> None:
    file = sampled()
    (part,) = sample_parts(file, 1, 5)
    file.records = [record_81(file, payload) for payload in flushed([part + bytes(8) + part])]
    recording = read_bytes(file.build())
    assert samples_of(recording) == 5
    assert recording.quality.counts == {"perf_damaged_records": 1}


def test_compressed_in_compressed_is_not_unpacked() -> None:
    file = sampled()
    inner = b"".join(record_83(file, payload) for payload in flushed(sample_parts(file, 1, 5)))
    file.records = [record_81(file, payload) for payload in flushed([inner])]
    recording = read_bytes(file.build())
    assert samples_of(recording) == 0


def test_bomb_is_stopped() -> None:
    """Runs of one byte, 128 KiB from 4 bytes each, that frame as records of an unknown type."""
    file = sampled()
    block = struct.pack("<I", 1 << 17 << 3 | 1 << 1)[:3] + b"\x08"
    payload = MAGIC + b"\x00\x58" + block * 2000
    file.records = [record_81(file, payload)]
    recording = read_bytes(file.build())
    assert recording.quality.counts["perf_damaged_records"] == 1
    assert "more than 256 times" in recording.quality.details["perf_damaged_records"]


def blocks(*sizes: int, last: bool) -> bytes:
    """Raw blocks; the last one's flag is set if `last`."""
    flags = [int(last and n == len(sizes) - 1) for n in range(len(sizes))]
    return b"".join(
        (size << 3 | flag).to_bytes(3, "little") + bytes(size)
        for size, flag in zip(sizes, flags, strict=True)
    )


@pytest.mark.parametrize(
    ("stream", "size", "ending"),
    [
        (b"", 0, b""),
        (MAGIC, 0, b""),
        (b"none" * 4, 0, b""),
        (MAGIC + b"\x00\x58" + blocks(5, 6, last=True), 23, b""),
        (MAGIC + b"\x00\x58" + blocks(5, 6, last=False), 23, LAST_BLOCK),
        (MAGIC + b"\x00\x58" + blocks(5, 6, last=False)[:-1], 14, LAST_BLOCK),
        (MAGIC + b"\x00\x58" + blocks(5, 6, last=False)[:9], 14, LAST_BLOCK),
        (MAGIC + b"\x00\x58" + blocks(5, last=False)[:-1], 0, b""),
        (MAGIC + b"\x04\x58" + blocks(5, last=True) + bytes(4), 18, b""),
        (MAGIC + b"\x04\x58" + blocks(5, last=True) + bytes(3), 0, b""),
        (MAGIC + b"\x20\x05" + blocks(5, last=True), 14, b""),
        (MAGIC + b"\x20\x0b" + blocks(5, last=False), 0, b""),
        (MAGIC + b"\xc3\x58" + bytes(12) + blocks(5, last=True), 26, b""),
        (MAGIC + b"\x00\x58" + b"\x42\x00\x00\x07" + blocks(0, last=True), 13, b""),
        ((MAGIC + b"\x00\x58" + blocks(5, last=True)) * 2 + MAGIC, 28, b""),
    ],
)
@pytest.mark.parametrize("part_bytes", [1, 4, 1000])
def test_whole_part_of_a_stream(stream: bytes, size: int, ending: bytes, part_bytes: int) -> None:
    parts = [stream[at : at + part_bytes] for at in range(0, len(stream), part_bytes)]
    assert whole_part([memoryview(part) for part in parts]) == (size, ending)
