"""The samples of a perf.data file by tracepoint, in the order of their times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.event_format import EventFormat, parse_event_format
from spetrace.ingest.perf_data.abi import TRACEPOINT_TYPE
from spetrace.ingest.perf_data.events import Event
from spetrace.ingest.perf_data.tracepoint_runs import RowArray, SampleRuns
from spetrace.ingest.perf_data.tracepoint_samples import Samples, is_traced
from spetrace.ingest.trace_metadata import Metadata
from spetrace.ingest.tracepoint_frame import table_name
from spetrace.quality import Quality

_NAMES_SHOWN = 20


class Group(NamedTuple):
    """Samples of one tracepoint in order, and their places in the order of all tracepoints'."""

    places: npt.NDArray[np.uint64]
    samples: Samples


class GroupedSamples:
    """The samples that can be decoded, a stretch at a time; those that can't be are counted.

    The order is that of the times, samples without one first; of one time, that of the file.
    """

    def __init__(
        self, runs: SampleRuns, events: Sequence[Event], metadata: Metadata, quality: Quality
    ) -> None:
        self._runs = runs
        formats = _formats(events, metadata)
        _count_undecoded(events, formats, quality)
        self._known = len(formats)
        self._of_event = _group_numbers(events, formats)
        self._least_bytes = np.array([f.fixed_bytes for f in formats.values()] + [0], np.int64)
        self._span: tuple[int, int] | None = None
        held = self._survey(quality)
        taken: set[str] = set()
        self._numbers = {
            table_name(format_, taken): number
            for number, format_ in enumerate(formats.values())
            if held[number]
        }
        every = list(formats.values())
        self.formats = {name: every[number] for name, number in self._numbers.items()}
        self.counts = {name: held[number] for name, number in self._numbers.items()}

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and of the last sample; None where none has one."""
        return self._span

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, Group]]:
        """The samples of those of `names` that there are, a stretch of the order after the other."""
        chosen = {name: number for name, number in self._numbers.items() if name in names}
        first = 0
        for rows in self._runs.stretches() if chosen else ():
            group = self._group_of(rows)
            decoded = np.flatnonzero(group < self._known)
            places = np.argsort(group[decoded], kind="stable")
            ends = np.cumsum(np.bincount(group[decoded], minlength=self._known))
            stretch = {}
            for name, number in chosen.items():
                own = places[ends[number - 1] if number else 0 : ends[number]]
                if len(own):
                    at = own.astype(np.uint64) + np.uint64(first)
                    stretch[name] = Group(at, Samples.of(rows.take(decoded[own])))
            first += len(decoded)
            yield stretch

    def _survey(self, quality: Quality) -> list[int]:
        """How many samples each format has; also finds the span and counts those too short."""
        held = np.zeros(self._known + 1, np.int64)
        short = 0
        for rows in self._runs.runs():
            group = self._group_of(rows)
            held += np.bincount(group, minlength=self._known + 1)
            short += int(np.count_nonzero(self._of_event[rows["event"]] < group))
            times = rows["time_ns"][group < self._known]
            self._widen_span(times[np.searchsorted(times, 0) :])
        quality.add("perf_damaged_records", short, "samples shorter than their format")
        return held.tolist()

    def _widen_span(self, times: npt.NDArray[np.int64]) -> None:
        """Take in sorted times."""
        if len(times):
            first, last = self._span or (int(times[0]), int(times[-1]))
            self._span = min(first, int(times[0])), max(last, int(times[-1]))

    def _group_of(self, rows: RowArray) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The number of each sample's format, after all those that are known: it can't be decoded.

        In as few bits as that takes: numpy sorts those of 8 and 16 fastest.
        """
        group = self._of_event[rows["event"]]
        whole = rows["lengths"] >= self._least_bytes[group]
        return np.where(whole, group, self._known).astype(np.min_scalar_type(self._known))


def _group_numbers(events: Sequence[Event], formats: Iterable[int]) -> npt.NDArray[np.int64]:
    """The group of each event's samples: its format's place among `formats`, after all: none."""
    numbers = {id_: number for number, id_ in enumerate(formats)}
    return np.array([numbers.get(_format_id(event), len(numbers)) for event in events], np.int64)


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
