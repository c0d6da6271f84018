"""The tracepoints of a file as a mapping whose tables are decoded when they are asked for.

How it works: `batches` and `stretches` go over the file once. `select` decodes from an index (time and
place of each event), which is made by a pass over the file, and kept where the file has few events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

import polars as pl

from spetrace.ingest.trace_dat.event_stream import NO_EVENTS, EventStream, Group
from spetrace.ingest.trace_dat.parallel import in_order
from spetrace.ingest.trace_dat.tables import Event, TableMaker
from spetrace.quality import Quality

KEPT_EVENTS = 1 << 22
"""An index of 32 bytes per event is kept up to this number of events."""
BLOCK_ROWS = 1 << 18
"""A piece of a table has no more rows."""
_LONG_ROWS = 1 << 16
"""Below this, handing a piece to a thread takes longer than it saves."""


class TraceFrames(Mapping[str, pl.DataFrame]):
    """The tables of all tracepoints by name, in order of their ids; see TracepointFrames.

    A field that records do not hold is counted in `quality` when it is decoded for the first time.
    """

    def __init__(
        self,
        stream: EventStream,
        events: Mapping[int, Event],
        maker: TableMaker,
        quality: Quality,
    ) -> None:
        self._stream = stream
        self._ids = {event.name: id_ for id_, event in events.items()}
        self._formats = {event.name: event.format for event in events.values()}
        self._maker = maker
        self._quality = quality
        self._counted: set[str] = set()
        self._is_kept = sum(stream.counts.values()) <= KEPT_EVENTS

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The table of one tracepoint: of a large file by a pass over all of it."""
        if name not in self._ids:
            raise KeyError(name)
        return self.select([name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, name: object) -> bool:
        return name in self._ids

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""
        return {name: self._stream.counts[id_] for name, id_ in self._ids.items()}

    @property
    def span(self) -> tuple[int, int] | None:
        """Times of the first and of the last event."""
        return self._stream.survey.span

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The tables of those of `names` that there are, by one pass over the file."""
        chosen = {name: id_ for name, id_ in self._ids.items() if name in names}
        index = self._index if self._is_kept else self._stream.index(chosen.values())
        return {name: self._whole(name, index[id_]) for name, id_ in chosen.items()}

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All events in pieces of bounded size: those of one tracepoint follow each other in order."""
        losses = {name: Quality() for name in self._ids}
        for groups in self._stream.batches(self._stream.ids):
            found = [(n, groups[i]) for n, i in self._ids.items() if i in groups]
            pieces = [(name, block) for name, group in found for block in _blocks(group)]
            yield from self._made(pieces, losses)
        self._count_all(losses)

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The events of those of `names` that there are, a stretch of time after the other."""
        chosen = {name: id_ for name, id_ in self._ids.items() if name in names}
        losses = {name: Quality() for name in chosen}
        for groups in self._stream.batches(chosen.values()):
            pieces = [(name, groups[id_]) for name, id_ in chosen.items() if id_ in groups]
            yield dict(self._made(pieces, losses))
        self._count_all(losses)

    def _made(
        self, pieces: Sequence[tuple[str, Group]], losses: Mapping[str, Quality]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        made = in_order(lambda piece: self._make(*piece), pieces, _is_long)
        for (name, _group), (frame, quality) in zip(pieces, made, strict=True):
            losses[name].merge(quality)
            yield name, frame

    def empty(self, name: str) -> pl.DataFrame:
        """The table of a tracepoint without its rows."""
        return self._make(name, NO_EVENTS)[0]

    @cached_property
    def _index(self) -> dict[int, Group]:
        return self._stream.index(self._stream.ids)

    def _whole(self, name: str, group: Group) -> pl.DataFrame:
        frames, losses = [], Quality()
        for block in _blocks(group):
            frame, quality = self._make(name, block)
            frames.append(frame)
            losses.merge(quality)
            if not self._is_kept:
                self._stream.let_go()
        self._count(name, losses)
        return pl.concat(frames, rechunk=True) if len(frames) > 1 else frames[0]

    def _make(self, name: str, group: Group) -> tuple[pl.DataFrame, Quality]:
        quality = Quality()
        return self._maker.make(self._formats[name], group, quality), quality

    def _count_all(self, losses: Mapping[str, Quality]) -> None:
        for name, quality in losses.items():
            self._count(name, quality)

    def _count(self, name: str, losses: Quality) -> None:
        """Count what a tracepoint's events lack, the first time that all of them are decoded."""
        if name not in self._counted:
            self._counted.add(name)
            self._quality.merge(losses)


def _is_long(piece: tuple[str, Group]) -> bool:
    return len(piece[1].places) >= _LONG_ROWS


def _blocks(group: Group) -> Iterator[Group]:
    for start in range(0, len(group.places), BLOCK_ROWS):
        yield group.rows(start, start + BLOCK_ROWS)
