"""The SPE part of a perf.data recording: its AUX streams, handed to the decoder when asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from spetrace.ingest.perf_data.aux_streams import AuxStream
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.ingest.perf_data.segments import iter_segments
from spetrace.ingest.spe.decode import StreamIdentity, iter_batches
from spetrace.ingest.spe.segment import Segment
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion


@dataclass
class PerfSpeData:
    """SPE data in a mapped perf.data file (`spetrace.tables.recording.SpeData`)."""

    data: Bytes
    streams: Sequence[AuxStream]
    aux_records: pl.DataFrame
    time_conversion: TimeConversion | None
    exclude_user: bool
    exclude_kernel: bool
    aux_area_bytes: int | None
    midrs: dict[int | None, int]
    quality: Quality
    """The recording's: what decoding finds lost is added to it, once per stream."""
    _counted: set[int] = field(default_factory=set)

    @property
    def stream_cpus(self) -> list[int | None]:
        """CPU of each stream; None in per-thread recordings."""
        return [stream.cpu for stream in self.streams]

    @property
    def stream_tids(self) -> list[int | None]:
        """Thread of each stream; None in per-CPU recordings."""
        return [stream.tid for stream in self.streams]

    def segments(self, stream: int) -> Iterator[Segment]:
        """The stream's SPE bytes, undecoded, as views of the file."""
        return iter_segments(self.streams[stream], self.data)

    def batches(
        self, columns: Collection[str] | None = None, source: int = 0
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The records as (stream, batch of table spe_records), stream after stream, in AUX order."""
        for number, stream in enumerate(self.streams):
            found = Quality()
            identity = StreamIdentity(source, stream.cpu, stream.tid)
            for batch in iter_batches(
                self.segments(number),
                identity,
                time_conversion=self.time_conversion,
                columns=columns,
                quality=found,
            ):
                yield number, batch
            if number not in self._counted:
                self._counted.add(number)
                self.quality.merge(found)
