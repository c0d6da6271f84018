"""PERF_RECORD_AUX: which bytes of an AUX area became available, and what happened to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.perf_data.abi import RecordType
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.framing import Block
from spetrace.ingest.perf_data.sample_id import Values, parse_sample_ids
from spetrace.quality import Quality

BODY_BYTES = 24
FURTHEST = 1 << 62
"""AUX offsets count bytes since the recording's start: one beyond this is damage."""


class AuxRecords(NamedTuple):
    """AUX records in file order, one array element each; -1 where a trailer's field is absent."""

    aux_offset: Values
    size_bytes: Values
    flags: npt.NDArray[np.uint64]
    event: npt.NDArray[np.int32]
    id: Values
    pid: Values
    tid: Values
    time_ns: Values
    cpu: Values

    def where(self, mask: npt.NDArray[np.bool_]) -> AuxRecords:
        """The records where `mask` is true."""
        return AuxRecords._make(column[mask] for column in self)


_NO_VALUES = np.empty(0, np.int64)
_NONE = AuxRecords(
    _NO_VALUES, _NO_VALUES, np.empty(0, np.uint64), np.empty(0, np.int32), *[_NO_VALUES] * 5
)


def parse_aux_records(block: Block, events: EventTable, quality: Quality) -> AuxRecords:
    """All AUX records of a block; those too short or with impossible numbers are counted."""
    rows = block.rows(RecordType.AUX)
    whole = rows[block.sizes[rows] >= 8 + BODY_BYTES]
    offset, size = block.u64(whole, 8), block.u64(whole, 16)
    possible = (offset < FURTHEST) & (size < FURTHEST)
    quality.add(
        "perf_damaged_records", len(rows) - int(possible.sum()), "AUX records of impossible size"
    )
    whole = whole[possible]
    return AuxRecords(
        offset[possible].astype(np.int64),
        size[possible].astype(np.int64),
        block.u64(whole, 24),
        *parse_sample_ids(block, whole, BODY_BYTES, events),
    )


def join_aux_records(parts: list[AuxRecords]) -> AuxRecords:
    """The records of all parts, one after another."""
    return AuxRecords._make(np.concatenate(columns) for columns in zip(_NONE, *parts, strict=True))
