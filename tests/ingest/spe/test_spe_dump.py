"""The packet dump equals perf's, line by line; every byte of any input is in one line."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import SPE_END, spe_counter, spe_load_record, spe_operation
from cli.command import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.spe.decoders import segment_of

from spetrace.errors import NothingToReplayError, UsageError
from spetrace.ingest.importer import read_recording
from spetrace.ingest.spe.dump import DumpedStream, raw_stream, recorded_streams, render_dump
from spetrace.tables.recording import SpeData

REAL = [
    "ampere_issue123_altra.bin",
    "hiperf_rawData0.bin",
    "hiperf_rawData1.bin",
    "hiperf_rawData2.bin",
    "kernel_commit_ffd3d18c_kimphillips.bin",
    "kimphillips_rfc_branch_sample.bin",
    "lkml_context_packets.bin",
    "lkml_leoyan2025_examples.bin",
    "lkml_yangjihong2_kunpeng.bin",
    "lkml_yangjihong_kunpeng.bin",
    "qemu_devel_haiboxu_vspe.bin",
    "quipper_sample.bin",
    "telemetry_frame.bin",
    "telemetry_single_packets.bin",
    "telemetry_spe-b1-ts0.data",
    "telemetry_spe-b1-ts1.data",
    "windowsperf_issue62.bin",
]
SYNTHETIC = [
    "fvp",
    "kp",
    "kp-no-context-no-pa",
    "kp-straddle",
    "n1",
    "n1-header2",
    "n1-no-index",
    "n1-no-timestamps",
    "n1-per-thread",
    "n1-pipe",
    "n1-zstd81",
    "n1-zstd83",
    "newv64",
    "v1",
]


def dump_of(data: bytes) -> str:
    return "".join(render_dump([raw_stream(memoryview(data))]))


def spe_of(path: Path) -> SpeData:
    spe = read_recording(path).spe
    assert spe is not None
    return spe


def recorded_dump(path: Path) -> str:
    return "".join(render_dump(recorded_streams(spe_of(path))))


def texts(dump: str) -> list[tuple[str, str]]:
    """Bytes (hex) and text of each line."""
    lines = [re.fullmatch(r"\.  [0-9a-f]{8}: (.{48}) (.*)", line) for line in dump.splitlines()]
    assert all(lines)
    return [(line[1].replace(" ", ""), line[2]) for line in lines if line]


@pytest.mark.parametrize("name", REAL)
def test_real_bytes_as_perf_dumps_them(name: str, shared: Path) -> None:
    folder = shared / "captures/spe-real"
    expected = (folder / "expected" / f"{name}.perf73.txt").read_text()
    assert dump_of((folder / "raw" / name).read_bytes()) == expected
    assert recorded_dump(folder / "perfdata" / f"{name}.perf.data") == expected


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_recording_as_perf_dumps_it(name: str, shared: Path) -> None:
    path = shared / "captures/spe-synthetic" / f"{name}.perf.data"
    expected = gzip.decompress(path.with_name(f"{name}.dump.txt.gz").read_bytes()).decode()
    assert recorded_dump(path) == expected


def test_cut_records_end_in_bad_bytes(shared: Path) -> None:
    """perf's dump of n1-partial is of whole records; the recording lacks the last 23 bytes of some."""
    path = shared / "captures/spe-synthetic/n1-partial.perf.data"
    whole = gzip.decompress(path.with_name("n1-partial.dump.txt.gz").read_bytes()).decode()
    found, expected = records_of(texts(recorded_dump(path))), records_of(texts(whole))
    cut = 0
    for record, as_perf in zip(found, expected, strict=True):
        if record != as_perf:
            bad = [text for _, text in record].index("Bad packet!")
            assert record[:bad] == as_perf[:bad]
            assert sum(len(data) for data, _ in record) == 2 * (64 - 23)
            cut += 1
    assert cut == read_recording(path).spe.aux_records["partial"].sum()


def records_of(lines: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    records: list[list[tuple[str, str]]] = []
    for line in lines:
        if line[1].startswith("PC "):
            records.append([])
        records[-1].append(line)
    return records


def test_layout_of_lines() -> None:
    data = bytes.fromhex("b0001008800080ffc09a010000002198060090") + bytes(17)
    assert dump_of(data) == (
        ".  00000000:  b0 00 10 08 80 00 80 ff c0                      PC 0xff800080081000 el2 ns=1\n"
        ".  00000009:  9a 01 00                                        LAT 1 XLAT\n"
        ".  0000000c:  00 00                                           PAD\n"
        ".  0000000e:  21 98 06 00                                     LAT 6 \n"
        ".  00000012:  90                                              Bad packet!\n"
        ".  00000013:  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 PAD\n"
        ".  00000023:  00                                              PAD\n"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("02 42 02 01", [("02", "Bad packet!"), ("4202", "EV RETIRED"), ("01", "END")]),
        ("f8 01", [("f8", "Bad packet!"), ("01", "END")]),
        ("64 2a 00", [("64", "Bad packet!"), ("2a", "Bad packet!"), ("00", "PAD")]),
        (
            "71 01 02 03",
            [("71", "Bad packet!"), ("01", "END"), ("02", "Bad packet!"), ("03", "Bad packet!")],
        ),
        ("20", [("20", "Bad packet!")]),
        ("20 00 00 00", [("20000000", "PAD")]),
        ("23 00" + " ee" * 14 + " 01", [("2300" + "ee" * 14, "PAD"), ("01", "END")]),
        ("23 00 ee", [("23", "Bad packet!"), ("00", "PAD"), ("ee", "Bad packet!")]),
        ("01 22 00" + " ee" * 5 + " 00 00 01", [
            ("01", "END"), ("2200" + "ee" * 5 + "0000", "PAD"), ("01", "END"),
        ]),
    ],
)  # fmt: skip
def test_resync_and_alignment(data: str, expected: list[tuple[str, str]]) -> None:
    assert texts(dump_of(bytes.fromhex(data))) == expected


def test_alignment_is_that_of_the_aux_area() -> None:
    data = bytes.fromhex("2200") + b"\xee" * 6 + SPE_END
    stream = DumpedStream("", None, lambda: [segment_of(data, aux_offset=4)])
    assert texts("".join(render_dump([stream])))[0] == ("2200eeee", "PAD")


def test_headers_name_streams_and_offsets_are_those_of_the_aux_area() -> None:
    first = DumpedStream("cpu 0", None, lambda: [segment_of(SPE_END), segment_of(SPE_END, 0x40)])
    second = DumpedStream("", None, lambda: [segment_of(SPE_END * 2, 1 << 33)])
    lines = "".join(render_dump([first, second], headers=True)).splitlines()
    assert lines[0] == ". ... ARM SPE data: size 0x2 bytes, cpu 0"
    assert lines[3] == ". ... ARM SPE data: size 0x2 bytes"
    starts = [line.split(":")[0] for line in lines]
    assert starts[1:3] + starts[4:] == [
        ".  00000000", ".  00000040", ".  200000000", ".  200000001",
    ]  # fmt: skip
    without = "".join(render_dump([first, second])).splitlines()
    assert [line[:11] for line in without] == [f".  {n:08x}" for n in range(4)]


def test_offset_and_limit_cut_the_dump() -> None:
    data = b"".join(spe_load_record(n, 0x1000 + n, 0x2000) for n in range(5000))
    lines = dump_of(data).splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.startswith(".  00040000:"))
    stream = raw_stream(memoryview(data))
    cut = list(render_dump([stream], offset=0x40000, limit=3000))
    assert "".join(cut) == "".join(lines[place : place + 3000])
    assert list(render_dump([stream], offset=len(data))) == []
    assert list(render_dump([stream], limit=0)) == []
    assert "".join(render_dump([stream], limit=len(lines) + 1)) == "".join(lines)


def test_offset_in_the_second_stream() -> None:
    streams = [
        DumpedStream("cpu 0", None, lambda: [segment_of(SPE_END * 8)]),
        DumpedStream("cpu 1", None, lambda: [segment_of(spe_counter(0, 9) * 3, cuts=[4])]),
    ]
    whole = "".join(render_dump(streams)).splitlines(keepends=True)
    assert "".join(render_dump(streams, offset=11)) == "".join(whole[9:])


def test_padding_is_not_joined_across_segments() -> None:
    stream = DumpedStream("", None, lambda: [segment_of(b"\0\0"), segment_of(b"\0")])
    assert [data for data, _ in texts("".join(render_dump([stream])))] == ["0000", "00"]


def test_dump_is_made_in_bounded_chunks() -> None:
    chunks = list(render_dump([raw_stream(memoryview(spe_operation(1, 0) * 200_000))]))
    assert len(chunks) > 5
    assert max(map(len, chunks)) < 4 << 20


def test_recording_without_spe_data_is_refused() -> None:
    with pytest.raises(NothingToReplayError, match="SPE data"):
        recorded_streams(None)


def test_cpu_without_data_is_refused() -> None:
    spe = spe_of(SAMPLES / "spe-neoverse-n1" / "spe.perf.data")
    with pytest.raises(UsageError, match="CPU 0, 1"):
        recorded_streams(spe, 2)


def test_events_are_named_by_the_streams_cpu() -> None:
    streams = recorded_streams(spe_of(SAMPLES / "spe-neoverse-n1" / "spe.perf.data"))
    assert [stream.midr for stream in streams] == [0x413FD0C1] * 2
    event = bytes.fromhex("520010")
    stream = DumpedStream("", streams[0].midr, lambda: [segment_of(event)])
    assert "".join(render_dump([stream])).endswith(" EV LATE-PREFETCH\n")


# Bytes that begin packets are likelier than by chance, so that packets and their cuts are met.
HEADERS = [0x00, 0x01, 0x20, 0x23, 0x42, 0x48, 0x49, 0x4A, 0x4B, 0x52, 0x65, 0x71, 0x72, 0x98, 0xB0]
ANY_BYTES = st.lists(st.one_of(st.sampled_from(HEADERS), st.integers(0, 255)), max_size=120).map(bytes)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    data=ANY_BYTES, aux_offset=st.integers(0, 40), cuts=st.lists(st.integers(0, 120), max_size=5)
)
def test_every_byte_is_in_one_line(data: bytes, aux_offset: int, cuts: list[int]) -> None:
    def stream(ends: list[int]) -> DumpedStream:
        return DumpedStream("", None, lambda: [segment_of(data, aux_offset, ends)])

    dump = "".join(render_dump([stream(sorted(min(cut, len(data)) for cut in cuts))]))
    lines = texts(dump)
    assert bytes.fromhex("".join(hexes for hexes, _ in lines)) == data
    places = np.cumsum([0, *(len(hexes) // 2 for hexes, _ in lines)])
    offsets = [int(line[3:11], 16) for line in dump.splitlines()]
    assert offsets == places[:-1].tolist()
    assert dump == "".join(render_dump([stream([])]))
