"""The packets of AUX streams as text: what `perf report -D` prints below its AUXTRACE records.

Without headers a line's offset is its place in all that is dumped, as if the streams' bytes were one
buffer. With headers each stream is named before its lines, and offsets are those in its AUX area, as
in column `aux_offset` of table spe_records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from spetrace.errors import NothingToReplayError, UsageError
from spetrace.ingest.spe.packet_lines import Pieces, iter_line_blocks, packet_renderer
from spetrace.tables.recording import SpeData

_U64 = (1 << 64) - 1


@dataclass(frozen=True)
class DumpedStream:
    """One AUX stream: whose it is, and its bytes."""

    owner: str
    """As it stands in the header: "cpu 0", "tid 4711"; empty where nobody knows."""
    midr: int | None
    segments: Callable[[], Iterable[Pieces]]
    """Begins a new pass over the bytes each time."""


def raw_stream(data: memoryview) -> DumpedStream:
    """Bare SPE bytes, without a container, as a stream."""
    pieces = [(0, np.frombuffer(data, np.uint8))]
    return DumpedStream("", None, lambda: [pieces])


def recorded_streams(spe: SpeData | None, cpu: int | None = None) -> list[DumpedStream]:
    """The streams of a recording in their order, or only those of `cpu`.

    Raises NothingToReplayError if there are no SPE data, UsageError if there are none of `cpu`.
    """
    if spe is None:
        raise NothingToReplayError("the recording holds no SPE data")
    if cpu is not None and cpu not in spe.stream_cpus:
        known = ", ".join(str(n) for n in spe.stream_cpus if n is not None)
        raise UsageError(
            f"--cpu {cpu}: no SPE data of it; there are those of CPU {known or 'none'}"
        )
    return [
        DumpedStream(
            _owner(number, tid),
            spe.midrs.get(number, spe.midrs.get(None)),
            partial(spe.segments, stream),
        )
        for stream, (number, tid) in enumerate(zip(spe.stream_cpus, spe.stream_tids, strict=True))
        if cpu in (None, number)
    ]


def _owner(cpu: int | None, tid: int | None) -> str:
    if cpu is not None:
        return f"cpu {cpu}"
    return "" if tid is None else f"tid {tid}"


def render_dump(
    streams: Iterable[DumpedStream],
    *,
    headers: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> Iterator[str]:
    """The dump in chunks of whole lines: perf's layout, and the words of perf 7.3.

    Decoding begins at the bytes of `offset` (as printed) and ends after `limit` packet lines.
    """
    left = limit
    for lines, is_header in _iter_lines(streams, headers, offset):
        if left is not None and not is_header:
            lines = lines[:left]
            left -= len(lines)
        if lines:
            yield "".join(lines)
        if left == 0:
            return


def _iter_lines(
    streams: Iterable[DumpedStream], headers: bool, first: int
) -> Iterator[tuple[Sequence[str], bool]]:
    place = 0
    for stream in streams:
        if headers:
            yield [_header(stream)], True
        render = packet_renderer(stream.midr)
        for pieces in stream.segments():
            start = pieces[0][0] & _U64 if headers else place
            skipped = max(first - start, 0)
            rest = _without(pieces, skipped)
            for lines in iter_line_blocks(rest, start + skipped, render):
                yield lines, False
            place += _size(pieces)


def _header(stream: DumpedStream) -> str:
    size = sum(map(_size, stream.segments()))
    owner = f", {stream.owner}" if stream.owner else ""
    return f". ... ARM SPE data: size {size:#x} bytes{owner}\n"


def _size(pieces: Pieces) -> int:
    return sum(len(data) for _, data in pieces)


def _without(pieces: Pieces, skipped: int) -> Pieces:
    """The pieces without their first `skipped` bytes."""
    rest = []
    for aux_offset, data in pieces:
        begin = min(skipped, len(data))
        skipped -= begin
        if begin < len(data):
            rest.append((aux_offset + begin, data[begin:]))
    return rest
