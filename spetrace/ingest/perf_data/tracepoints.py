"""The tracepoints of a perf.data file as a mapping whose frames are decoded when they are asked for.

Where the samples are is spilled in order of time; their fields are decoded from the file's bytes as
often as a frame is asked for, a stretch after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_fields import Records, decode_fields
from spetrace.ingest.event_format import EventFormat
from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.perf_data.contents import Contents
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.ingest.perf_data.thread_names import ThreadNames
from spetrace.ingest.perf_data.tracepoint_bytes import near_bytes
from spetrace.ingest.perf_data.tracepoint_groups import Group, GroupedSamples
from spetrace.ingest.perf_data.tracepoint_samples import Samples
from spetrace.ingest.perf_data.tracing_data import parse_tracing_data
from spetrace.ingest.tracepoint_frame import build_frame, pid_field
from spetrace.quality import Quality

_Integers = npt.NDArray[np.int32] | npt.NDArray[np.int64]


class PerfFrames(Mapping[str, pl.DataFrame]):
    """The frames of one file by tracepoint (`spetrace.tables.tracepoint_frames.TracepointFrames`).

    `data` holds the samples' bytes. Fields that those lack are counted in `quality` when a
    tracepoint is decoded for the first time.
    """

    def __init__(
        self,
        samples: GroupedSamples,
        data: Bytes,
        order: str,
        names: ThreadNames,
        quality: Quality,
    ) -> None:
        self._samples = samples
        self._data = data
        self._big_endian = order == ">"
        self._names = names
        self._quality = quality
        self._counted: set[str] = set()

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The frame of one tracepoint."""
        return self.select([name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def __contains__(self, name: object) -> bool:
        return name in self.counts

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""
        return self._samples.counts

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and of the last event; None where none has one."""
        return self._samples.span

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The frames of those of `names` that there are, by one pass over the samples."""
        parts: dict[str, list[pl.DataFrame]] = {n: [] for n in self.counts if n in names}
        for stretch in self.stretches(names):
            for name, frame in stretch.items():
                parts[name].append(frame)
        return {name: pl.concat(own, rechunk=True) for name, own in parts.items()}

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All events in pieces of bounded size: those of one tracepoint follow each other in order."""
        for stretch in self.stretches(self.counts):
            yield from stretch.items()

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The events of those of `names` that there are, a stretch of their order after the other."""
        losses = {name: Quality() for name in self.counts if name in names}
        for stretch in self._samples.stretches(names):
            yield {name: self._frame(name, group, losses[name]) for name, group in stretch.items()}
            let_go(self._data)
        for name, quality in losses.items():
            self._count(name, quality)

    def empty(self, name: str) -> pl.DataFrame:
        """The frame of a tracepoint without its rows."""
        return self._frame(name, Group(np.empty(0, np.uint64), Samples.room(0)), Quality())

    def _count(self, name: str, losses: Quality) -> None:
        """Count what a tracepoint's events lack, the first time that all of them are decoded."""
        if name not in self._counted:
            self._counted.add(name)
            self._quality.merge(losses)

    def _frame(self, name: str, group: Group, losses: Quality) -> pl.DataFrame:
        format_, samples = self._samples.formats[name], group.samples
        data, starts = near_bytes(self._data, samples.starts, samples.lengths)
        records = Records(data, starts, samples.lengths, self._big_endian)
        tids = _or_common_pid(samples.tid, records, format_)
        common = [
            pl.Series("index", group.places).set_sorted(),
            _known("time_ns", samples.time_ns),
            _known("cpu", samples.cpu),
            _known("pid", tids),
            self._names.at(tids, samples.time_ns).alias("comm"),
            _known("tgid", samples.pid),
        ]
        own = decode_fields(records, format_.fields)
        return build_frame(common, format_, own, losses)


def build_frames(contents: Contents, threads: pl.DataFrame, order: str) -> PerfFrames:
    """The frames of a file, whose table threads and byte order are given.

    Samples whose format the file lacks are counted.
    """
    runs, data = contents.tracepoint_samples.finish()
    metadata = parse_tracing_data(contents.features.tracing_data, contents.quality)
    samples = GroupedSamples(runs, contents.events.events, metadata, contents.quality)
    return PerfFrames(samples, data, order, ThreadNames(threads), contents.quality)


def _or_common_pid(
    tids: npt.NDArray[np.int32], records: Records, format_: EventFormat
) -> npt.NDArray[np.int32]:
    """The thread of each sample: as perf tells it, else as the record itself does."""
    field = pid_field(format_)
    if field is None or (tids >= 0).all():
        return tids
    (told,) = decode_fields(records, [field])
    pids = told.values.cast(pl.Int32, strict=False).fill_null(-1).to_numpy()
    return np.where(tids < 0, pids, tids)


def _known(name: str, values: _Integers) -> pl.Series:
    """A column, null where a value is -1 for absent."""
    series = pl.Series(name, values)
    return series.set(series < 0, None) if (values < 0).any() else series
