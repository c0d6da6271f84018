"""A recording's tracepoints with some of them in place of, or beside, its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import polars as pl

from spetrace.tables.tracepoint_frames import TracepointFrames


class MappedFrames(Mapping[str, pl.DataFrame]):
    """The frames of `own`, those in `mapped` under their names instead; see TracepointFrames."""

    def __init__(self, own: TracepointFrames, mapped: Mapping[str, pl.DataFrame]) -> None:
        self._own = own
        self._mapped = mapped

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The frame of one tracepoint."""
        return self.select([name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""
        return {**self._own.counts, **{name: len(frame) for name, frame in self._mapped.items()}}

    @property
    def span(self) -> tuple[int, int] | None:
        """`time_ns` of the first and of the last event of all; None without events."""
        return self._own.span

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The frames of those of `names` that there are."""
        own = self._own.select([name for name in names if name not in self._mapped])
        return own | {name: frame for name, frame in self._mapped.items() if name in names}

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All events in pieces: those of one tracepoint follow each other in order."""
        for name, frame in self._own.batches():
            if name not in self._mapped:
                yield name, frame
        yield from self._mapped.items()

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The events of those of `names`, one stretch of the recording's order after the other."""
        left = {name: frame for name, frame in self._mapped.items() if name in names}
        for own in self._own.stretches([name for name in names if name not in self._mapped]):
            last = max((f["index"][-1] for f in own.values() if len(f)), default=-1)
            ends = {
                name: frame["index"].search_sorted(last, "right") for name, frame in left.items()
            }
            yield own | {name: frame[: ends[name]] for name, frame in left.items()}
            left = {name: frame[ends[name] :] for name, frame in left.items()}
        yield left

    def empty(self, name: str) -> pl.DataFrame:
        """The frame of a tracepoint without its rows."""
        mapped = self._mapped.get(name)
        return self._own.empty(name) if mapped is None else mapped.clear()
