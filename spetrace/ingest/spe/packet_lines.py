"""The lines of perf's packet dump: offset, bytes in hex, text (arm_spe_dump, Linux 7.3).

Most packets of a recording are equal to one before (operations, events, latencies, hot PCs), so the
part behind the offset is remembered by the packet's bytes. `packets.next_packet` gives every packet
its meaning; only the size of the common ones, those with a short header and a payload, is looked
up here before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spetrace.arm import spe_packets as spe
from spetrace.ingest.spe.packet_text import BAD, PADDING, named_events, render_packet
from spetrace.ingest.spe.packets import Kind, Packet, next_packet

Pieces = Sequence[tuple[int, npt.NDArray[np.uint8]]]
"""A segment (`spetrace.ingest.spe.segment`): AUX offset and bytes of each piece."""

LINE_BYTES = 16
"""Bytes that a line has room for: the longest packet's, and padding is joined up to here."""
_BLOCK_BYTES = 1 << 16
_REMEMBERED = 1 << 15
_HEX_WIDTH = 3 * LINE_BYTES

Render = Callable[[bytes], str]
"""Makes of a whole packet's bytes its line behind the offset."""


def _short_sizes() -> list[int]:
    """By header byte: the size of a packet with a short header and a payload, 0 for all others."""
    patterns = (
        spe.TIMESTAMP,
        spe.EVENTS,
        spe.DATA_SOURCE,
        spe.CONTEXT,
        spe.OPERATION_TYPE,
        spe.ADDRESS,
        spe.COUNTER,
    )
    return [
        1 + spe.payload_bytes(header) if any(p.matches(header) for p in patterns) else 0
        for header in range(256)
    ]


_SIZES = _short_sizes()


def packet_renderer(midr: int | None) -> Render:
    """The renderer for the CPU of this MIDR_EL1 (None: unknown)."""
    event_names = named_events(midr)

    @lru_cache(_REMEMBERED)
    def render(data: bytes) -> str:
        """One packet's line, remembered by its bytes."""
        return _render_bytes(data, render_packet(next_packet(data, 0, 0), event_names))

    return render


def iter_line_blocks(pieces: Pieces, offset: int, render: Render) -> Iterator[list[str]]:
    """The lines of one segment, some thousand at a time; its first byte is printed at `offset`.

    Every byte is in one line. A packet may lie in two pieces. Memory is that of one block.
    """
    aux_offset = pieces[0][0] if pieces else 0
    data = b""
    for block in _iter_blocks(pieces):
        data += block
        lines, used = _lines(data, len(data) - LINE_BYTES, aux_offset, offset, render)
        yield lines
        data, aux_offset, offset = data[used:], aux_offset + used, offset + used
    yield _lines(data, len(data), aux_offset, offset, render)[0]


def _iter_blocks(pieces: Pieces) -> Iterator[bytes]:
    for _, data in pieces:
        for begin in range(0, len(data), _BLOCK_BYTES):
            yield data[begin : begin + _BLOCK_BYTES].tobytes()


def _lines(
    data: bytes, stop: int, aux_offset: int, offset: int, render: Render
) -> tuple[list[str], int]:
    """The lines of the packets that begin before `stop`, and where the last of them ends."""
    lines = []
    at, end = 0, len(data)
    while at < stop:
        size = _SIZES[data[at]]
        if size and at + size <= end:
            text = render(data[at : at + size])
        else:
            packet = next_packet(data, at, aux_offset + at)
            size, text = _uncommon(packet, data[at : at + LINE_BYTES], render)
        lines.append(f".  {offset + at:08x}: {text}\n")
        at += size
    return lines, at


def _uncommon(packet: Packet, data: bytes, render: Render) -> tuple[int, str]:
    """Bytes in the line of `packet`, which `data` begins with, and the line behind its offset."""
    if packet.kind is Kind.PADDING:
        rest = data[packet.size :]
        size = packet.size + len(rest) - len(rest.lstrip(b"\0"))
        return size, _padding(data[:size])
    if packet.kind is Kind.BAD:
        return 1, _bad(data[:1])
    return packet.size, render(data[: packet.size])


@lru_cache(_REMEMBERED)
def _padding(data: bytes) -> str:
    return _render_bytes(data, PADDING)


@lru_cache(256)
def _bad(data: bytes) -> str:
    return _render_bytes(data, BAD)


def _render_bytes(data: bytes, text: str) -> str:
    return f" {data.hex(' ')}".ljust(_HEX_WIDTH) + f" {text}"
