"""SPE bytes cut into packets, in plain Python (tools/perf/util/arm-spe-decoder, Linux 6.12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from spetrace.arm import spe_packets as spe


class Kind(Enum):
    """Packet kinds; BAD is one byte that starts no packet."""

    BAD = auto()
    PADDING = auto()
    END = auto()
    TIMESTAMP = auto()
    EVENTS = auto()
    DATA_SOURCE = auto()
    CONTEXT = auto()
    OPERATION_TYPE = auto()
    ADDRESS = auto()
    COUNTER = auto()


_SHORT = {
    Kind.TIMESTAMP: spe.TIMESTAMP,
    Kind.EVENTS: spe.EVENTS,
    Kind.DATA_SOURCE: spe.DATA_SOURCE,
    Kind.CONTEXT: spe.CONTEXT,
    Kind.OPERATION_TYPE: spe.OPERATION_TYPE,
    Kind.ADDRESS: spe.ADDRESS,
    Kind.COUNTER: spe.COUNTER,
}
_INDEX = {
    Kind.CONTEXT: spe.context_index,
    Kind.OPERATION_TYPE: spe.operation_class,
    Kind.ADDRESS: spe.index,
    Kind.COUNTER: spe.index,
}


@dataclass(frozen=True)
class Packet:
    """One packet: kind, size with its header; index (or operation class) and payload if it has any."""

    kind: Kind
    size: int
    index: int = 0
    payload: int = 0


_BAD = Packet(Kind.BAD, 1)


def next_packet(data: bytes, offset: int, aux_offset: int) -> Packet:
    """The packet at `data[offset]`, which stands at `aux_offset` in its AUX stream."""
    header = data[offset]
    if spe.PADDING.matches(header):
        return Packet(Kind.PADDING, 1)
    if spe.END.matches(header):
        return Packet(Kind.END, 1)
    if spe.EXTENDED.matches(header):
        return _extended_packet(data, offset, aux_offset)
    for kind, pattern in _SHORT.items():
        if pattern.matches(header):
            index = _INDEX[kind](header) if kind in _INDEX else 0
            return _with_payload(data, offset, 1, kind, index)
    return _BAD


def _extended_packet(data: bytes, offset: int, aux_offset: int) -> Packet:
    if offset + 1 >= len(data):
        return _BAD
    first, second = data[offset], data[offset + 1]
    if spe.ALIGNMENT.matches(second):
        alignment = spe.alignment_bytes(first)
        fits = alignment <= len(data) - offset
        return Packet(Kind.PADDING, alignment - aux_offset % alignment) if fits else _BAD
    for kind in (Kind.ADDRESS, Kind.COUNTER):
        if _SHORT[kind].matches(second):
            return _with_payload(data, offset, 2, kind, spe.extended_index(first, second))
    return _BAD


def _with_payload(data: bytes, offset: int, header_bytes: int, kind: Kind, index: int) -> Packet:
    begin = offset + header_bytes
    end = begin + spe.payload_bytes(data[begin - 1])
    if end > len(data):
        return _BAD
    return Packet(kind, end - offset, index, int.from_bytes(data[begin:end], "little"))


def iter_packets(data: bytes, aux_offset: int) -> Iterator[tuple[int, Packet]]:
    """The packets of a segment's bytes and where each starts in them; every byte is in one."""
    offset = 0
    while offset < len(data):
        packet = next_packet(data, offset, aux_offset + offset)
        yield offset, packet
        offset += packet.size
