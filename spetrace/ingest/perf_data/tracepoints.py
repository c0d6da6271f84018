"""The tracepoints of a perf.data file as frames, in the order of their times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.ingest.event_fields import Records, decode_fields
from spetrace.ingest.event_format import EventFormat, parse_event_format
from spetrace.ingest.perf_data.abi import TRACEPOINT_TYPE
from spetrace.ingest.perf_data.contents import Contents
from spetrace.ingest.perf_data.events import Event
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.ingest.perf_data.thread_names import ThreadNames
from spetrace.ingest.perf_data.tracepoint_samples import Samples, is_traced
from spetrace.ingest.perf_data.tracing_data import parse_tracing_data
from spetrace.ingest.trace_metadata import Metadata
from spetrace.ingest.tracepoint_frame import build_frame, pid_field, table_name
from spetrace.quality import Quality

_NAMES_SHOWN = 20
_Integers = npt.NDArray[np.int32] | npt.NDArray[np.int64]


def build_frames(contents: Contents, threads: pl.DataFrame, order: str) -> dict[str, pl.DataFrame]:
    """The frames of a file by tracepoint name, as `Recording.tracepoints` describes them.

    `threads` is its table threads, `order` its byte order. Samples whose format the file lacks are
    counted.
    """
    samples, data = contents.tracepoint_samples.finish()
    metadata = parse_tracing_data(contents.features.tracing_data, contents.quality)
    frames = _Frames(samples, data, order == ">", ThreadNames(threads), contents.quality)
    return frames.build(contents.events.events, metadata)


class _Frames:
    """Makes the frames of one file's samples, whose records are in `data`."""

    def __init__(
        self, samples: Samples, data: Bytes, big_endian: bool, names: ThreadNames, quality: Quality
    ) -> None:
        self._samples = samples
        self._data = data
        self._big_endian = big_endian
        self._names = names
        self._quality = quality

    def build(self, events: Sequence[Event], metadata: Metadata) -> dict[str, pl.DataFrame]:
        """The frames of the events whose format `metadata` has; others' samples are counted."""
        formats = _formats(events, metadata)
        self._count_undecoded(events, formats)
        if not formats:
            return {}
        ids = {id_: n for n, id_ in enumerate(formats)}
        groups = [ids.get(_format_id(event), len(ids)) for event in events]
        rows = _by_time(self._samples.time_ns)
        group = np.array(groups, np.int64)[self._samples.event[rows]]
        rows = rows[group < len(ids)]
        group = group[group < len(ids)].astype(np.min_scalar_type(len(ids)))
        places = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=len(ids)))[:-1]
        taken: set[str] = set()
        return {
            table_name(format_, taken): self._frame(format_, of_group, rows[of_group])
            for format_, of_group in zip(formats.values(), np.split(places, ends), strict=True)
            if len(of_group)
        }

    def _frame(
        self,
        format_: EventFormat,
        places: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
    ) -> pl.DataFrame:
        """The frame of the samples `rows`, which have `places` in the order of all."""
        samples = self._samples.at(rows)
        records = Records(self._data, samples.starts, samples.lengths, self._big_endian)
        tids = _or_common_pid(samples.tid, records, format_)
        common = [
            pl.Series("index", places.astype(np.uint64)),
            _known("time_ns", samples.time_ns),
            _known("cpu", samples.cpu),
            _known("pid", tids),
            self._names.at(tids, samples.time_ns).alias("comm"),
            _known("tgid", samples.pid),
        ]
        own = decode_fields(records, format_.fields)
        return build_frame(common, format_, own, self._quality)

    def _count_undecoded(self, events: Sequence[Event], formats: dict[int, EventFormat]) -> None:
        lacking: Counter[str] = Counter()
        for event in events:
            if event.attr.type == TRACEPOINT_TYPE and _format_id(event) not in formats:
                lacking[event.name or f"tracepoint {event.attr.config}"] += event.samples
        told = [f"{name} {count}" for name, count in lacking.most_common(_NAMES_SHOWN) if count]
        self._quality.add("perf_undecoded_samples", lacking.total(), ", ".join(told))


def _formats(events: Sequence[Event], metadata: Metadata) -> dict[int, EventFormat]:
    """By id the formats of the events whose samples can be decoded."""
    formats = {}
    for id_ in sorted({_format_id(event) for event in events} & metadata.formats.keys()):
        system, text = metadata.formats[id_]
        try:
            formats[id_] = parse_event_format(text, system, metadata.long_size)
        except InputError:
            continue
    return formats


def _format_id(event: Event) -> int:
    """The id of the format of an event's samples; -1 where they hold no tracepoint's record."""
    traced = is_traced(event.attr.type, event.attr.sample_type)
    return event.attr.config if traced else -1


def _by_time(times: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """The samples' order: by time, those without one first; of one time, as in the file."""
    return np.argsort(times, kind="stable")


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
