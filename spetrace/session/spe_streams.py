"""The AUX streams of an SPE recording, as the columns that events are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import Addresses, Integers
from spetrace.tables.recording import SpeData
from spetrace.tables.spe_records import SPE_RECORDS

UNKNOWN_LEVEL: Final = 255
_COLUMNS: Final = ("aux_offset", "size_bytes", "time_ns", "pc_exception_level")
_NO_RECORDS: Final = pa.RecordBatch.from_pylist([], SPE_RECORDS.select(_COLUMNS).schema)


@dataclass(frozen=True)
class AuxParts:
    """The PERF_RECORD_AUX of one stream, in order."""

    offset: Addresses
    size: Addresses
    time_ns: Integers
    has_time: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StreamRecords:
    """The SPE records of one stream, in AUX order; `level` is 0, 1 or UNKNOWN_LEVEL."""

    aux_offset: Addresses
    size_bytes: npt.NDArray[np.uint32]
    time_ns: Integers
    has_time: npt.NDArray[np.bool_]
    level: npt.NDArray[np.uint8]
    row: Addresses

    def __len__(self) -> int:
        return len(self.aux_offset)

    def where(self, mask: npt.NDArray[np.bool_]) -> StreamRecords:
        """The records that a mask selects."""
        if mask.all():
            return self
        return StreamRecords(
            self.aux_offset[mask],
            self.size_bytes[mask],
            self.time_ns[mask],
            self.has_time[mask],
            self.level[mask],
            self.row[mask],
        )


def aux_parts(spe: SpeData, *, with_times: bool = True) -> list[AuxParts]:
    """Per stream its AUX records; without times as if none had one."""
    by_stream = spe.aux_records.partition_by("stream", as_dict=True, maintain_order=True)
    none = spe.aux_records.clear()
    parts = []
    for stream in range(len(spe.stream_cpus)):
        own = by_stream.get((stream,), none)
        parts.append(
            AuxParts(
                own["aux_offset"].to_numpy(),
                own["size_bytes"].to_numpy(),
                own["time_ns"].fill_null(0).to_numpy(),
                own["time_ns"].is_not_null().to_numpy() & with_times,
            )
        )
    return parts


def iter_streams(spe: SpeData) -> Iterator[tuple[int, StreamRecords]]:
    """Each stream with all of its records; decodes no more columns than are needed."""
    row, missing = 0, set(range(len(spe.stream_cpus)))
    for stream, batches in groupby(spe.batches(_COLUMNS), key=lambda pair: pair[0]):
        records = _records([batch for _stream, batch in batches], row)
        row += len(records)
        missing.discard(stream)
        yield stream, records
    for stream in sorted(missing):
        yield stream, _records([_NO_RECORDS], row)


def _records(batches: list[pa.RecordBatch], first_row: int) -> StreamRecords:
    table = pa.Table.from_batches(batches)
    time_ns, level = table["time_ns"], table["pc_exception_level"].fill_null(UNKNOWN_LEVEL)
    level = level.to_numpy()
    return StreamRecords(
        table["aux_offset"].to_numpy(),
        table["size_bytes"].to_numpy(),
        time_ns.fill_null(0).to_numpy(),
        time_ns.is_valid().to_numpy(),
        np.where(level == UNKNOWN_LEVEL, level, np.minimum(level, 1)),
        np.arange(first_row, first_row + len(table), dtype=np.uint64),
    )
