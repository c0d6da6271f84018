"""The tracepoints of a long text as a mapping whose frames are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import polars as pl

from spetrace.ingest.event_text.spool import Place, Spool


class SpooledFrames(Mapping[str, pl.DataFrame]):
    """The frames by name, in its order (`spetrace.tables.tracepoint_frames.TracepointFrames`).

    `stretches` are the places in the spool by name, one stretch of the text after the other;
    `finish` makes a tracepoint's frame of what is there.
    """

    def __init__(
        self,
        spool: Spool,
        stretches: Sequence[Mapping[str, Place]],
        finish: Callable[[str, pl.DataFrame], pl.DataFrame],
        span: tuple[int, int] | None,
    ) -> None:
        self._spool = spool
        self._stretches = stretches
        self._finish = finish
        self._span = span
        self._counts: dict[str, int] = dict.fromkeys(sorted({n for s in stretches for n in s}), 0)
        for stretch in stretches:
            for name, place in stretch.items():
                self._counts[name] += place.rows

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The frame of one tracepoint."""
        return self.select([name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __contains__(self, name: object) -> bool:
        return name in self._counts

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""
        return self._counts

    @property
    def span(self) -> tuple[int, int] | None:
        """`time_ns` of the first and of the last event of all; None without events."""
        return self._span

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The frames of those of `names` that there are."""
        parts: dict[str, list[pl.DataFrame]] = {}
        for stretch in self.stretches(names):
            for name, frame in stretch.items():
                parts.setdefault(name, []).append(frame)
        return {
            name: pl.concat(parts[name], rechunk=True) for name in self._counts if name in parts
        }

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All events in pieces of bounded size: those of one tracepoint follow each other in order."""
        for stretch in self.stretches(self._counts):
            yield from stretch.items()

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The events of those of `names` that there are, a stretch of the text after the other."""
        for stretch in self._stretches:
            yield {n: self._read(n, place) for n, place in stretch.items() if n in names}

    def empty(self, name: str) -> pl.DataFrame:
        """The frame of a tracepoint without its rows."""
        place = next(stretch[name] for stretch in self._stretches if name in stretch)
        return self._read(name, place).clear()

    def _read(self, name: str, place: Place) -> pl.DataFrame:
        return self._finish(name, self._spool.read(place))
