"""The samples of a perf.data file by tracepoint, in the order of their times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.event_format import EventFormat, parse_event_format
from spetrace.ingest.perf_data.abi import TRACEPOINT_TYPE
from spetrace.ingest.perf_data.events import Event
from spetrace.ingest.perf_data.tracepoint_samples import Samples, is_traced
from spetrace.ingest.trace_metadata import Metadata
from spetrace.ingest.tracepoint_frame import table_name
from spetrace.quality import Quality

_NAMES_SHOWN = 20
Places = npt.NDArray[np.integer[Any]]


class Group(NamedTuple):
    """Samples of one tracepoint in order, and their places in the order of all tracepoints'."""

    format: EventFormat
    places: Places
    """As uint32 where that is enough: there are as many as a recording is long."""
    samples: Samples

    def blocks(self, rows: int) -> Iterator[Group]:
        """The samples in parts of at most `rows`; one without rows where there are none."""
        for start in range(0, max(len(self.places), 1), rows):
            part = slice(start, start + rows)
            yield Group(self.format, self.places[part], self.samples.at(part))

    def within(self, first: int, end: int) -> Group:
        """The samples at places from `first` to before `end`."""
        part = slice(*np.searchsorted(self.places, [first, end]))
        return Group(self.format, self.places[part], self.samples.at(part))


def group_samples(
    samples: Samples, events: Sequence[Event], metadata: Metadata, quality: Quality
) -> dict[str, Group]:
    """The groups by the names of their tables; samples that can't be decoded are counted.

    The order is that of the times, samples without one first; of one time, that of the file.
    """
    formats = _formats(events, metadata)
    _count_undecoded(events, formats, quality)
    of_event = _group_numbers(events, formats)
    whole = _are_whole(samples, of_event, formats, quality)
    known = len(formats)
    rows = _by_time(samples.time_ns)
    rows = rows[whole[rows]]
    group = of_event.astype(np.min_scalar_type(known))[samples.event[rows]]
    places = _narrow(np.argsort(group, kind="stable"))
    ends = np.cumsum(np.bincount(group, minlength=known))
    taken: set[str] = set()
    return {
        table_name(format_, taken): Group(format_, own, samples.at(rows[own]))
        for format_, own in zip(formats.values(), _split(places, ends[:known]), strict=True)
        if len(own)
    }


def _split(places: Places, ends: npt.NDArray[np.int64]) -> Iterator[Places]:
    start = 0
    for end in ends.tolist():
        yield places[start:end]
        start = end


def _by_time(times: npt.NDArray[np.int64]) -> Places:
    if bool((times[1:] >= times[:-1]).all()):
        return _narrow(np.arange(len(times)))
    return _narrow(np.argsort(times, kind="stable"))


def _narrow(rows: Places) -> Places:
    return rows.astype(np.uint32) if len(rows) < 1 << 32 else rows


def _group_numbers(events: Sequence[Event], formats: Iterable[int]) -> npt.NDArray[np.int64]:
    """The group of each event's samples: its format's place among `formats`, after all: none."""
    numbers = {id_: number for number, id_ in enumerate(formats)}
    return np.array([numbers.get(_format_id(event), len(numbers)) for event in events], np.int64)


def _are_whole(
    samples: Samples,
    of_event: npt.NDArray[np.int64],
    formats: Mapping[int, EventFormat],
    quality: Quality,
) -> npt.NDArray[np.bool_]:
    """Which samples of known format hold all that it says; the others of those are counted."""
    group = of_event[samples.event]
    least = np.array([format_.fixed_bytes for format_ in formats.values()] + [0], np.int64)
    whole: npt.NDArray[np.bool_] = samples.lengths >= least[group]
    short = int(len(whole) - np.count_nonzero(whole))
    quality.add("perf_damaged_records", short, "samples shorter than their format")
    return whole & (group < len(formats))


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
    return event.attr.config if is_traced(event.attr) else -1


def _count_undecoded(
    events: Sequence[Event], formats: dict[int, EventFormat], quality: Quality
) -> None:
    lacking: Counter[str] = Counter()
    for event in events:
        if event.attr.type == TRACEPOINT_TYPE and _format_id(event) not in formats:
            lacking[event.name or f"tracepoint {event.attr.config}"] += event.samples
    told = [f"{name} {count}" for name, count in lacking.most_common(_NAMES_SHOWN) if count]
    quality.add("perf_undecoded_samples", lacking.total(), ", ".join(told))
