"""Bare SPE bytes: a dumped profiling buffer, without a container that tells of clocks and CPUs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.ingest.spe.decode import StreamIdentity, iter_batches
from spetrace.ingest.spe.segment import Piece, Segment
from spetrace.quality import Quality
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.recording import Recording, TimeConversion


@dataclass
class RawSpeData:
    """One stream of SPE bytes of no known CPU, thread or clock (`tables.recording.SpeData`)."""

    data: npt.NDArray[np.uint8]
    quality: Quality
    """The recording's: what decoding finds lost is added to it, once."""
    stream_cpus: list[int | None] = field(default_factory=lambda: [None])
    stream_tids: list[int | None] = field(default_factory=lambda: [None])
    time_conversion: TimeConversion | None = None
    exclude_user: bool = False
    exclude_kernel: bool = False
    aux_area_bytes: int | None = None
    midrs: dict[int | None, int] = field(default_factory=dict)
    _is_counted: bool = False

    @property
    def aux_records(self) -> pl.DataFrame:
        """None: there is no container that could hold any."""
        none = pl.DataFrame(AUX_RECORDS.empty()).drop("source")
        return none.with_columns(pl.Series("stream", [], pl.UInt32))

    def excludes(self, stream: int) -> tuple[bool, bool]:
        """Nothing, as far as anybody knows."""
        return self.exclude_user, self.exclude_kernel

    def segments(self, stream: int) -> Iterator[Segment]:
        """The bytes, undecoded, as one segment."""
        yield (Piece(0, self.data),)

    def batches(
        self,
        columns: Collection[str] | None = None,
        source: int = 0,
        *,
        in_order: bool = True,
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The records as (0, batch of table spe_records), in their order."""
        found = Quality()
        identity = StreamIdentity(source, None, None)
        for batch in iter_batches(
            self.segments(0), identity, time_conversion=None, columns=columns, quality=found
        ):
            yield 0, batch
        if not self._is_counted:
            self._is_counted = True
            self.quality.merge(found)

    def stream_batches(
        self, stream: int, columns: Collection[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """The same records, in batches of at most `batch_rows`."""
        return iter_batches(
            self.segments(stream),
            StreamIdentity(0, None, None),
            time_conversion=None,
            columns=columns,
            batch_rows=batch_rows,
        )


def parse_raw_spe(name: str, data: memoryview) -> Recording:
    """Bare SPE bytes as a recording; nothing in them could be refused."""
    quality = Quality()
    spe = RawSpeData(np.frombuffer(data, np.uint8), quality)
    return Recording(name, "raw SPE", len(data), quality=quality, spe=spe)
