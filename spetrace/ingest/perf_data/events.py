"""The events of a recording: attrs with their ids and names, found by id, samples counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spetrace.ingest.perf_data.abi import SampleType
from spetrace.ingest.perf_data.attrs import EventAttr, Ids

EventRows = npt.NDArray[np.int32]


@dataclass
class Event:
    """One event: an attr, the ids of its instances (per CPU or thread), its name where known."""

    attr: EventAttr
    ids: Ids
    name: str | None = None
    samples: int = 0


@dataclass
class EventTable:
    """All events, in the order of their attrs."""

    events: list[Event] = field(default_factory=list)
    _ids: Ids = field(default_factory=lambda: np.empty(0, np.uint64))
    _owners: EventRows = field(default_factory=lambda: np.empty(0, np.int32))
    _indexed: int = 0

    def add(self, attr: EventAttr, ids: Ids) -> None:
        """Append an event."""
        self.events.append(Event(attr, ids))

    def find(self, ids: Ids) -> EventRows:
        """Index of the event that each id belongs to; -1 where it is nobody's."""
        self._index()
        if not len(self._ids):
            return np.full(len(ids), -1, np.int32)
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[places] == ids, self._owners[places], np.int32(-1))

    @property
    def has_identifier(self) -> bool:
        """Whether records carry their event's id at a fixed place (PERF_SAMPLE_IDENTIFIER)."""
        return any(event.attr.sample_type & SampleType.IDENTIFIER for event in self.events)

    @property
    def common_sample_type(self) -> int | None:
        """The sample_type of all events, where they agree."""
        types = {event.attr.sample_type for event in self.events}
        return types.pop() if len(types) == 1 else None

    def name(self, id_: int, name: str) -> None:
        """Name the event that `id_` belongs to, if there is one."""
        (row,) = self.find(np.array([id_], np.uint64))
        if row >= 0:
            self.events[row].name = name

    def count_samples(self, rows: EventRows) -> None:
        """Count one sample for each event index in `rows`; -1 counts for nobody."""
        counts = np.bincount(rows[rows >= 0], minlength=len(self.events))
        for row in np.flatnonzero(counts):
            self.events[row].samples += int(counts[row])

    def _index(self) -> None:
        if self._indexed == len(self.events):
            return
        ids = [event.ids for event in self.events]
        owners = np.repeat(np.arange(len(ids), dtype=np.int32), [len(i) for i in ids])
        every = np.concatenate(ids)
        order = np.argsort(every, kind="stable")
        self._ids, self._owners, self._indexed = every[order], owners[order], len(ids)
