"""The SPE part of a perf.data recording: its AUX streams, handed to the decoder when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Final

import polars as pl
import pyarrow as pa

from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.perf_data.abi import AttrFlag
from spetrace.ingest.perf_data.aux_streams import AuxStream
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.ingest.perf_data.segments import iter_segments
from spetrace.ingest.spe.ahead import iterated_ahead, mixed_ahead
from spetrace.ingest.spe.decode import BATCH_ROWS, StreamIdentity, iter_batches
from spetrace.ingest.spe.segment import Segment
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion

_LET_GO_ROWS: Final = 1 << 19
"""Records after which the file's pages are let go: 32 MiB of records of 64 bytes."""


@dataclass
class PerfSpeData:
    """SPE data in a mapped perf.data file (`spetrace.tables.recording.SpeData`)."""

    data: Bytes
    streams: Sequence[AuxStream]
    aux_records: pl.DataFrame
    time_conversion: TimeConversion | None
    event_flags: Mapping[int, AttrFlag]
    """Of each SPE event, by its place among the recording's."""
    aux_area_bytes: int | None
    midrs: dict[int | None, int]
    quality: Quality
    """The recording's: what decoding finds lost is added to it, once per stream."""
    _counted: set[int] = field(default_factory=set)
    _counting: Lock = field(default_factory=Lock)
    _decoded_rows: int = 0

    @property
    def stream_cpus(self) -> list[int | None]:
        """CPU of each stream; None in per-thread recordings."""
        return [stream.cpu for stream in self.streams]

    @property
    def stream_tids(self) -> list[int | None]:
        """Thread of each stream; None in per-CPU recordings."""
        return [stream.tid for stream in self.streams]

    @property
    def exclude_user(self) -> bool:
        """exclude_user of all SPE events."""
        return self._all_have(AttrFlag.EXCLUDE_USER, self.event_flags)

    @property
    def exclude_kernel(self) -> bool:
        """exclude_kernel of all SPE events."""
        return self._all_have(AttrFlag.EXCLUDE_KERNEL, self.event_flags)

    def excludes(self, stream: int) -> tuple[bool, bool]:
        """exclude_user and exclude_kernel of the SPE events that wrote the stream, if all have it.

        Where no AUX record tells which those are, of all SPE events.
        """
        told = set(self.streams[stream].aux_records.event.tolist()) & set(self.event_flags)
        events = told or set(self.event_flags)
        return (
            self._all_have(AttrFlag.EXCLUDE_USER, events),
            self._all_have(AttrFlag.EXCLUDE_KERNEL, events),
        )

    def _all_have(self, flag: AttrFlag, events: Iterable[int]) -> bool:
        found = [self.event_flags[event] for event in events]
        return bool(found) and all(flag & flags for flags in found)

    def segments(self, stream: int) -> Iterator[Segment]:
        """The stream's SPE bytes, undecoded, as views of the file."""
        return iter_segments(self.streams[stream], self.data)

    def batches(
        self,
        columns: Collection[str] | None = None,
        source: int = 0,
        *,
        in_order: bool = True,
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The records as (stream, batch of table spe_records), stream after stream, in AUX order.

        Streams are decoded ahead, in threads; where they need not be in order, at full speed.
        """
        found = [Quality() for _ in self.streams]
        decoders = [
            partial(self._decode, number, columns, source, quality)
            for number, quality in enumerate(found)
        ]
        for number, batch in _one_by_one(decoders) if in_order else _as_they_come(decoders):
            self._let_go(batch.num_rows)
            yield number, batch
        for number, quality in enumerate(found):
            self._count(number, quality)

    def stream_batches(
        self, stream: int, columns: Collection[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """The same records of one stream, in batches of at most `batch_rows`."""
        for batch in self._decode(stream, columns, 0, Quality(), batch_rows):
            self._let_go(batch.num_rows)
            yield batch

    def _let_go(self, rows: int) -> None:
        """Let the file's pages go now and then; `rows` are those decoded since the last call."""
        self._decoded_rows += rows
        if self._decoded_rows >= _LET_GO_ROWS:
            self._decoded_rows = 0
            let_go(self.data)

    def _decode(
        self,
        number: int,
        columns: Collection[str] | None,
        source: int,
        quality: Quality,
        batch_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        stream = self.streams[number]
        return iter_batches(
            self.segments(number),
            StreamIdentity(source, stream.cpu, stream.tid),
            time_conversion=self.time_conversion,
            columns=columns,
            quality=quality,
            batch_rows=batch_rows,
        )

    def _count(self, number: int, found: Quality) -> None:
        with self._counting:
            if number not in self._counted:
                self._counted.add(number)
                self.quality.merge(found)


_Decoders = Sequence[Callable[[], Iterator[pa.RecordBatch]]]


def _one_by_one(decoders: _Decoders) -> Iterator[tuple[int, pa.RecordBatch]]:
    with iterated_ahead(decoders) as iterators:
        for number, batches in enumerate(iterators):
            for batch in batches:
                yield number, batch


def _as_they_come(decoders: _Decoders) -> Iterator[tuple[int, pa.RecordBatch]]:
    with mixed_ahead(decoders) as batches:
        yield from batches
