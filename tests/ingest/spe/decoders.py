"""Both decoders behind one signature: segments to row dicts and quality counts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spetrace.ingest.spe.decode import StreamIdentity, iter_batches
from spetrace.ingest.spe.reference import iter_rows
from spetrace.ingest.spe.segment import Piece, Segment
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion
from spetrace.tables.spe_records import SPE_RECORDS

IDENTITY = StreamIdentity(source=2, cpu=5, tid=None)

Rows = list[dict[str, Any]]
Decoder = Callable[..., tuple[Rows, dict[str, int]]]


def segment_of(data: bytes, aux_offset: int = 0, cuts: Sequence[int] = ()) -> Segment:
    """`data` from `aux_offset` as one segment, in pieces that end at the sorted `cuts`."""
    ends = [0, *cuts, len(data)]
    return tuple(
        Piece(aux_offset + begin, np.frombuffer(data[begin:end], np.uint8))
        for begin, end in itertools.pairwise(ends)
    )


def decode_by_kernel(
    segments: Sequence[Segment], conversion: TimeConversion | None = None, batch_rows: int = 4096
) -> tuple[Rows, dict[str, int]]:
    """Rows and loss as `iter_batches` gives them; every batch is checked by Arrow."""
    quality = Quality()
    rows: Rows = []
    for batch in iter_batches(
        segments, IDENTITY, time_conversion=conversion, quality=quality, batch_rows=batch_rows
    ):
        batch.validate(full=True)
        assert 0 < batch.num_rows <= batch_rows
        assert batch.schema.equals(SPE_RECORDS.schema, check_metadata=True)
        rows += batch.to_pylist()
    return rows, quality.counts


def decode_by_reference(
    segments: Sequence[Segment], conversion: TimeConversion | None = None
) -> tuple[Rows, dict[str, int]]:
    """The same by the plain-Python reference."""
    quality = Quality()
    rows = list(iter_rows(segments, IDENTITY, time_conversion=conversion, quality=quality))
    return rows, quality.counts
