"""The bytes of an AUX stream as the decoder gets them: without padding, cut where records can't go on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np

from spetrace.ingest.perf_data.abi import AuxFlag
from spetrace.ingest.perf_data.aux_streams import AuxStream
from spetrace.ingest.perf_data.framing import Bytes, Rows
from spetrace.ingest.perf_data.sample_id import Values
from spetrace.ingest.spe.segment import Piece, Segment

_ALIGNMENT = 8
_NOWHERE = (1 << 63) - 1


def iter_segments(stream: AuxStream, data: Bytes) -> Iterator[Segment]:
    """The stream's segments, in file order, as views of `data`, the file.

    A segment ends where the next chunk does not follow in AUX offsets, at the end of every AUX
    record flagged PARTIAL and, in snapshot mode, with every chunk.
    """
    snapshot = is_snapshot(stream)
    pieces: list[Piece] = []
    end, breaks = -1, _partial_ends(stream)
    for piece in _iter_pieces(stream, data, breaks):
        if pieces and (snapshot or piece.aux_offset != end or _holds(breaks, end)):
            yield tuple(pieces)
            pieces = []
        pieces.append(piece)
        end = piece.aux_offset + len(piece.data)
    if pieces:
        yield tuple(pieces)


def is_snapshot(stream: AuxStream) -> bool:
    """Whether the AUX area was overwritten in circles: offsets wrap and announce nothing."""
    return bool(np.any(stream.aux_records.flags & np.uint64(AuxFlag.OVERWRITE)))


def missing_bytes(stream: AuxStream, data: Bytes) -> int:
    """Bytes that the stream's AUX records announce and no chunk holds."""
    aux = stream.aux_records
    if not len(aux.flags) or is_snapshot(stream):
        return 0
    starts, ends = _disjoint(stream.chunks.aux_offset, unpadded_bytes(stream, data))
    held = _held_below(starts, ends, aux.aux_offset + aux.size_bytes)
    held -= _held_below(starts, ends, aux.aux_offset)
    return sum(map(int, aux.size_bytes - held))


def unpadded_bytes(stream: AuxStream, data: Bytes) -> Values:
    """The size of each chunk without the zeros that fill it up to a multiple of 8 bytes.

    Those are not counted in AUX offsets: the next chunk begins where they do, or no AUX record
    reaches them (tools/perf/util/auxtrace.c, `__auxtrace_mmap__read`).
    """
    chunks = stream.chunks
    if not len(chunks.start) or is_snapshot(stream):
        return chunks.size_bytes
    ends = chunks.aux_offset + chunks.announced
    following = np.append(chunks.aux_offset[1:], _NOWHERE)
    whole = chunks.size_bytes == chunks.announced
    shared = ends - following
    repeated = whole & (shared > 0) & (shared < _ALIGNMENT) & (following > chunks.aux_offset)
    padding = np.where(repeated, shared, 0)
    last = np.flatnonzero(whole & ~repeated & (following != ends))
    padding[last] = _unannounced_zeros(stream, data, last)
    return chunks.size_bytes - padding


def _unannounced_zeros(stream: AuxStream, data: Bytes, rows: Rows) -> Values:
    """How many zeros at the end of each chunk in `rows` lie behind all that AUX records announce."""
    chunks, aux = stream.chunks, stream.aux_records
    aux_starts = np.sort(aux.aux_offset)
    aux_ends = np.concatenate([[-1], np.sort(aux.aux_offset + aux.size_bytes)])
    begins = chunks.aux_offset[rows]
    ends = begins + chunks.announced[rows]
    ended = np.searchsorted(aux_ends, ends) - 1
    reached = np.searchsorted(aux_starts, ends) > ended
    padding: Values = ends - aux_ends[ended]
    padding[reached | (padding >= _ALIGNMENT) | (aux_ends[ended] <= begins)] = 0
    tails = chunks.start[rows] + chunks.size_bytes[rows]
    for place in np.flatnonzero(padding):
        if data[tails[place] - padding[place] : tails[place]].any():
            padding[place] = 0
    return padding


def _iter_pieces(stream: AuxStream, data: Bytes, breaks: list[int]) -> Iterator[Piece]:
    """The chunks without padding, divided at `breaks`."""
    sizes = unpadded_bytes(stream, data).tolist()
    starts, offsets = stream.chunks.start.tolist(), stream.chunks.aux_offset.tolist()
    for start, offset, size in zip(starts, offsets, sizes, strict=True):
        first, end = bisect_right(breaks, offset), offset + size
        inside = breaks[first : bisect_right(breaks, end - 1)]
        for begin, stop in zip([offset, *inside], [*inside, end], strict=True):
            if stop > begin:
                yield Piece(begin, data[start + begin - offset : start + stop - offset])


def _partial_ends(stream: AuxStream) -> list[int]:
    """Where AUX records end whose last record is cut, in order; none in snapshot mode."""
    if is_snapshot(stream):
        return []
    aux = stream.aux_records
    partial = (aux.flags & np.uint64(AuxFlag.PARTIAL)) != 0
    return sorted(set((aux.aux_offset + aux.size_bytes)[partial].tolist()))


def _holds(sorted_values: list[int], value: int) -> bool:
    place = bisect_right(sorted_values, value)
    return place > 0 and sorted_values[place - 1] == value


def _disjoint(offsets: Values, sizes: Values) -> tuple[Values, Values]:
    """The ranges in order, each without what the ones before it hold."""
    order = np.argsort(offsets, kind="stable")
    starts, ends = offsets[order], (offsets + sizes)[order]
    reached = np.maximum.accumulate(ends)
    starts[1:] = np.maximum(starts[1:], reached[:-1])
    return starts, np.maximum(starts, ends)


def _held_below(starts: Values, ends: Values, limits: Values) -> Values:
    """For each of `limits`, how many bytes of the disjoint ranges lie below it."""
    if not len(starts):
        return np.zeros(len(limits), np.int64)
    below = np.concatenate([[0], np.cumsum(ends - starts)])
    count = np.searchsorted(starts, limits)
    last = np.maximum(count - 1, 0)
    inside = np.minimum(limits, ends[last]) - starts[last]
    return np.where(count > 0, below[last] + inside, 0)
