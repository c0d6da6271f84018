"""The AUX streams of an SPE recording, as the columns that events are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.stream_kernels import UNKNOWN_LEVEL
from spetrace.tables.recording import SpeData

RECORD_COLUMNS: Final = ("aux_offset", "size_bytes", "time_ns", "pc_exception_level")
"""The columns of spe_records that events are made of."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AuxParts:
    """The PERF_RECORD_AUX of one stream, in order."""

    offset: Addresses
    size: Addresses
    time_ns: Integers
    has_time: Mask

    def __len__(self) -> int:
        return len(self.offset)

    @cached_property
    def end(self) -> Addresses:
        """Per AUX record the highest offset that it and those before it reach."""
        stop = self.offset + np.minimum(self.size, ~self.offset)
        end: Addresses = np.maximum.accumulate(stop)
        return end

    @cached_property
    def start(self) -> Addresses:
        """Per AUX record the first offset that it has and none before it: no record is in two."""
        reached = np.concatenate((np.zeros(1, np.uint64), self.end))[:-1]
        start: Addresses = np.maximum(self.offset, reached)
        return start


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


def times_of(batch: pa.RecordBatch) -> tuple[Integers, Mask]:
    """Per record its time, and whether it has one."""
    times = batch.column("time_ns")
    if not times.null_count:
        return times.to_numpy(), np.broadcast_to(np.True_, len(times))
    return times.fill_null(0).to_numpy(), times.is_valid().to_numpy(zero_copy_only=False)


def levels_of(batch: pa.RecordBatch) -> npt.NDArray[np.uint8]:
    """Per record its exception level: 0, 1 or UNKNOWN_LEVEL."""
    recorded = batch.column("pc_exception_level").fill_null(UNKNOWN_LEVEL).to_numpy()
    level: npt.NDArray[np.uint8] = np.where(
        recorded == UNKNOWN_LEVEL, recorded, np.minimum(recorded, 1)
    )
    return level
