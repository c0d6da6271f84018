"""The file header: byte order, mode, old and cut headers, contradictions."""

from __future__ import annotations

import pytest
from builders_perf_data import PerfData, spe_perf_data

from spetrace.errors import InputError
from spetrace.ingest.perf_data.header import Section, parse_header, starts_perf_data
from spetrace.ingest.perf_data.importer import IMPORTER


@pytest.mark.parametrize("order", ["<", ">"])
def test_header_of_either_byte_order(order: str) -> None:
    file = spe_perf_data(order)
    header = parse_header(memoryview(file.build()))
    assert (header.order, header.size, header.pipe, header.killed) == (order, 104, False, False)
    assert header.features == (3, 9, 11)
    assert header.attrs == Section(112, 144)
    assert header.data == Section(256, len(b"".join(file.records)))


def test_header_without_features_of_72_bytes() -> None:
    file = spe_perf_data()
    file.header_size, file.features = 72, {}
    header = parse_header(memoryview(file.build()))
    assert (header.size, header.features) == (72, ())


def test_header_of_pipe_mode() -> None:
    data = spe_perf_data(">").build_pipe()
    header = parse_header(memoryview(data))
    assert (header.order, header.pipe, header.data) == (">", True, Section(16, len(data) - 16))


def test_header_of_killed_recording() -> None:
    file = spe_perf_data()
    file.data_size = 0
    assert parse_header(memoryview(file.build())).killed


def test_feature_bitmap_of_a_32_bit_big_endian_writer() -> None:
    data = bytearray(spe_perf_data(">").build())
    data[72:104] = (1 << 3 | 1 << 9).to_bytes(4, "big") + bytes(28)
    assert parse_header(memoryview(data)).features == (3, 9)


def test_feature_bitmap_without_hostname_keeps_only_build_ids() -> None:
    data = bytearray(spe_perf_data(">").build())
    data[72:104] = (1 << 2 | 1 << 9).to_bytes(4, "big") + bytes(28)
    assert parse_header(memoryview(data)).features == (2,)


@pytest.mark.parametrize("magic", [b"PERFILE2", b"2ELIFREP", b"PERFFILE", b"ELIFFREP"])
def test_sniff_knows_every_magic(magic: bytes) -> None:
    assert starts_perf_data(magic + bytes(96))
    assert IMPORTER.sniff(magic + bytes(96))
    assert not starts_perf_data(magic[:7])


@pytest.mark.parametrize(
    ("at", "value", "cause"),
    [
        (0, b"PERFFILE", "version 1"),
        (0, b"PERFELSE", "does not begin with PERFILE2"),
        (8, (71).to_bytes(8, "little"), "header size 71"),
        (16, (79).to_bytes(8, "little"), "too short"),
        (24, (8).to_bytes(8, "little"), "inside the header"),
        (40, (8).to_bytes(8, "little"), "inside the header"),
        (40, (200).to_bytes(8, "little"), "overlap"),
    ],
)
def test_header_that_contradicts_itself(at: int, value: bytes, cause: str) -> None:
    data = bytearray(spe_perf_data().build())
    data[at : at + len(value)] = value
    with pytest.raises(InputError, match=cause):
        parse_header(memoryview(data))


@pytest.mark.parametrize("size", [8, 15, 16, 71, 103])
def test_cut_header(size: int) -> None:
    with pytest.raises(InputError, match=r"needs \d+ bytes"):
        parse_header(memoryview(spe_perf_data().build()[:size]))


def test_file_without_events() -> None:
    for data in (PerfData().build(), PerfData().build_pipe()):
        with pytest.raises(InputError, match="no event is described"):
            IMPORTER.read("test", memoryview(data))
