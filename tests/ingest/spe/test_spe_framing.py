"""One case per row of the packet tables: short and extended header, payload sizes, truncations."""

from __future__ import annotations

import pytest
from builders import SPE_END, spe_counter, spe_operation
from ingest.spe.decoders import Decoder, segment_of

from spetrace.ingest.spe.packets import Kind, Packet, next_packet

WORD = 0x1122334455667788
PAYLOAD_SIZES = [(0x00, 1), (0x10, 2), (0x20, 4), (0x30, 8)]


def payload(size: int) -> bytes:
    return WORD.to_bytes(8, "little")[:size]


def value(size: int) -> int:
    return int.from_bytes(payload(size), "little")


WHOLE_PACKETS = [
    (b"\x00", Packet(Kind.PADDING, 1)),
    (b"\x01", Packet(Kind.END, 1)),
    (b"\x71" + payload(8), Packet(Kind.TIMESTAMP, 9, 0, WORD)),
    *(
        (bytes([pattern | bits]) + payload(size), Packet(kind, 1 + size, 0, value(size)))
        for pattern, kind in ((0x42, Kind.EVENTS), (0x43, Kind.DATA_SOURCE))
        for bits, size in PAYLOAD_SIZES
    ),
    *(
        (bytes([0x64 | i]) + payload(4), Packet(Kind.CONTEXT, 5, i, value(4)))
        for i in range(4)
    ),
    *(
        (bytes([0x48 | i]) + payload(1), Packet(Kind.OPERATION_TYPE, 2, i, value(1)))
        for i in range(4)
    ),
    *(
        (bytes([0xB0 | i]) + payload(8), Packet(Kind.ADDRESS, 9, i, WORD))
        for i in range(8)
    ),
    *(
        (bytes([0x98 | i]) + payload(2), Packet(Kind.COUNTER, 3, i, value(2)))
        for i in range(8)
    ),
    *(
        (bytes([0x20 | i >> 3, 0xB0 | i & 7]) + payload(8), Packet(Kind.ADDRESS, 10, i, WORD))
        for i in range(32)
    ),
    *(
        (bytes([0x20 | i >> 3, 0x98 | i & 7]) + payload(2), Packet(Kind.COUNTER, 4, i, value(2)))
        for i in range(32)
    ),
]  # fmt: skip
HEADERS = {data[0] for data, _ in WHOLE_PACKETS}
EXTENDED_SECONDS = {data[1] for data, _ in WHOLE_PACKETS if data[0] & 0xFC == 0x20}
BAD = Packet(Kind.BAD, 1)


@pytest.mark.parametrize(
    ("data", "expected"), WHOLE_PACKETS, ids=lambda v: getattr(v, "hex", str)()
)
def test_next_packet_whole(data: bytes, expected: Packet) -> None:
    assert next_packet(data + b"\xff", 0, 0) == expected
    assert next_packet(b"\xff" + data, 1, 0) == expected


@pytest.mark.parametrize(
    ("data", "expected"), WHOLE_PACKETS, ids=lambda v: getattr(v, "hex", str)()
)
def test_next_packet_truncated_anywhere(data: bytes, expected: Packet) -> None:
    for size in range(1, len(data)):
        assert next_packet(data[:size], 0, 0) == BAD


@pytest.mark.parametrize("header", sorted(set(range(256)) - HEADERS))
def test_next_packet_of_no_header(header: int) -> None:
    assert next_packet(bytes([header]) + bytes(16), 0, 0) == BAD


@pytest.mark.parametrize("first", [0x20, 0x21, 0x22, 0x23])
def test_next_packet_of_no_extended_header(first: int) -> None:
    for second in set(range(1, 256)) - EXTENDED_SECONDS:
        assert next_packet(bytes([first, second]) + bytes(16), 0, 0) == BAD


@pytest.mark.parametrize(("first", "alignment"), [(0x20, 2), (0x21, 4), (0x22, 8), (0x23, 16)])
def test_alignment_packet_reaches_the_next_multiple(first: int, alignment: int) -> None:
    data = bytes([first, 0]) + b"\xee" * (alignment - 2)
    for aux_offset in range(32):
        expected = alignment - aux_offset % alignment
        assert next_packet(data, 0, aux_offset) == Packet(Kind.PADDING, expected)
        if len(data) > 2:
            assert next_packet(data[:-1], 0, aux_offset) == BAD


@pytest.mark.parametrize("aux_offset", [*range(17), (1 << 64) - 3])
@pytest.mark.parametrize(("first", "alignment"), [(0x20, 2), (0x21, 4), (0x22, 8), (0x23, 16)])
def test_alignment_packet_within_a_record(
    first: int, alignment: int, aux_offset: int, decode: Decoder
) -> None:
    begin = spe_operation(2, 0)
    distance = alignment - (aux_offset + len(begin)) % alignment
    # The skipped bytes would end the record if they were read.
    align = bytes([first, 0]) + SPE_END * (distance - 2)
    end = spe_counter(0, 7) + SPE_END
    rows, counts = decode([segment_of(begin + align + end + bytes(16), aux_offset)])
    assert [(row["operation"], row["total_latency_cycles"]) for row in rows] == [("branch", 7)]
    assert rows[0]["size_bytes"] == len(begin + align + end)
    assert counts == {"spe_records_without_time": 1}
