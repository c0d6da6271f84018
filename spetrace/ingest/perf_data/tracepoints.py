"""The tracepoints of a perf.data file as a mapping whose frames are decoded when they are asked for.

Time, thread, CPU and place of every sample are in memory; the fields are decoded from the file's
bytes as often as a frame is asked for.
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
from spetrace.ingest.perf_data.tracepoint_groups import Group, group_samples
from spetrace.ingest.perf_data.tracing_data import parse_tracing_data
from spetrace.ingest.tracepoint_frame import build_frame, pid_field
from spetrace.quality import Quality

_BLOCK_ROWS = 1 << 19
_Integers = npt.NDArray[np.int32] | npt.NDArray[np.int64]


class PerfFrames(Mapping[str, pl.DataFrame]):
    """The frames of one file by tracepoint (`spetrace.tables.tracepoint_frames.TracepointFrames`).

    `data` holds the samples' bytes. Fields that those lack are counted in `quality` when a
    tracepoint is decoded for the first time.
    """

    def __init__(
        self,
        groups: Mapping[str, Group],
        data: Bytes,
        order: str,
        names: ThreadNames,
        quality: Quality,
    ) -> None:
        self._groups = groups
        self._data = data
        self._big_endian = order == ">"
        self._names = names
        self._quality = quality
        self._counted: set[str] = set()
        self._rows = 0
        self._span = _span(groups)

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The frame of one tracepoint."""
        frames = list(self._frames(name))
        return pl.concat(frames, rechunk=True) if len(frames) > 1 else frames[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def __contains__(self, name: object) -> bool:
        return name in self._groups

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""
        return {name: len(group.places) for name, group in self._groups.items()}

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and of the last event; None where none has one."""
        return self._span

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The frames of those of `names` that there are."""
        return {name: self[name] for name in self._groups if name in names}

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All events in pieces of bounded size: those of one tracepoint follow each other in order."""
        for name in self._groups:
            for frame in self._frames(name):
                yield name, frame

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The events of those of `names` that there are, a stretch of their order after the other."""
        groups = {name: group for name, group in self._groups.items() if name in names}
        losses = {name: Quality() for name in groups}
        for start in range(0, sum(self.counts.values()), _BLOCK_ROWS):
            stretch = {}
            for name, group in groups.items():
                part = group.within(start, start + _BLOCK_ROWS)
                if len(part.places):
                    stretch[name] = self._frame(part, losses[name])
                    self._let_go_after(len(part.places))
            yield stretch
        for name, quality in losses.items():
            self._count(name, quality)

    def empty(self, name: str) -> pl.DataFrame:
        """The frame of a tracepoint without its rows."""
        group = self._groups[name]
        nothing = Group(group.format, group.places[:0], group.samples.at(slice(0)))
        return self._frame(nothing, Quality())

    def _frames(self, name: str) -> Iterator[pl.DataFrame]:
        losses = Quality()
        for group in self._groups[name].blocks(_BLOCK_ROWS):
            yield self._frame(group, losses)
            self._let_go_after(len(group.places))
        self._count(name, losses)

    def _count(self, name: str, losses: Quality) -> None:
        """Count what a tracepoint's events lack, the first time that all of them are decoded."""
        if name not in self._counted:
            self._counted.add(name)
            self._quality.merge(losses)

    def _let_go_after(self, rows: int) -> None:
        """Let the file's pages go from time to time."""
        self._rows += rows
        if self._rows >= _BLOCK_ROWS:
            self._rows = 0
            let_go(self._data)

    def _frame(self, group: Group, losses: Quality) -> pl.DataFrame:
        samples = group.samples
        records = Records(self._data, samples.starts, samples.lengths, self._big_endian)
        tids = _or_common_pid(samples.tid, records, group.format)
        common = [
            pl.Series("index", group.places.astype(np.uint64)).set_sorted(),
            _known("time_ns", samples.time_ns),
            _known("cpu", samples.cpu),
            _known("pid", tids),
            self._names.at(tids, samples.time_ns).alias("comm"),
            _known("tgid", samples.pid),
        ]
        own = decode_fields(records, group.format.fields)
        return build_frame(common, group.format, own, losses)


def build_frames(contents: Contents, threads: pl.DataFrame, order: str) -> PerfFrames:
    """The frames of a file, whose table threads and byte order are given.

    Samples whose format the file lacks are counted.
    """
    samples, data = contents.tracepoint_samples.finish()
    metadata = parse_tracing_data(contents.features.tracing_data, contents.quality)
    groups = group_samples(samples, contents.events.events, metadata, contents.quality)
    return PerfFrames(groups, data, order, ThreadNames(threads), contents.quality)


def _span(groups: Mapping[str, Group]) -> tuple[int, int] | None:
    """The first and the last time; the samples of a group are in order, those without time first."""
    times = [group.samples.time_ns for group in groups.values()]
    known = [known for t in times if len(known := t[np.searchsorted(t, 0) :])]
    return (min(int(t[0]) for t in known), max(int(t[-1]) for t in known)) if known else None


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
