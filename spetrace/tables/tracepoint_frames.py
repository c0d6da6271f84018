"""The events of a recording by tracepoint, whether in memory or decoded from a file when asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol, runtime_checkable

import polars as pl


@runtime_checkable
class TracepointFrames(Protocol):
    """What a mapping of frames by tracepoint name tells without making all of them at once."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""

    @property
    def span(self) -> tuple[int, int] | None:
        """`time_ns` of the first and of the last event of all; None without events."""

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The frames of those of `names` that there are, by one pass over the file."""

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """All events in pieces of bounded size: those of one tracepoint follow each other in order."""

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The events of those of `names` that there are, in pieces of bounded size: one stretch of
        the recording's order after the other, all its tracepoints together.
        """

    def empty(self, name: str) -> pl.DataFrame:
        """The frame of a tracepoint without its rows."""


class HeldFrames:
    """Frames that are in memory."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self._frames = frames

    @property
    def counts(self) -> Mapping[str, int]:
        """How many events each tracepoint has."""
        return {name: len(frame) for name, frame in self._frames.items()}

    @property
    def span(self) -> tuple[int, int] | None:
        """`time_ns` of the first and of the last event of all; None without events."""
        times = [frame["time_ns"] for frame in self._frames.values()]
        bounds = [bound for t in times for bound in (t.min(), t.max()) if isinstance(bound, int)]
        return (min(bounds), max(bounds)) if bounds else None

    def select(self, names: Collection[str]) -> dict[str, pl.DataFrame]:
        """The frames of those of `names` that there are."""
        return {name: frame for name, frame in self._frames.items() if name in names}

    def batches(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """The frames as they are."""
        yield from self._frames.items()

    def stretches(self, names: Collection[str]) -> Iterator[dict[str, pl.DataFrame]]:
        """The frames of those of `names` that there are, as one stretch."""
        yield self.select(names)

    def empty(self, name: str) -> pl.DataFrame:
        """The frame of a tracepoint without its rows."""
        return self._frames[name].clear()


def frames_of(tracepoints: Mapping[str, pl.DataFrame]) -> TracepointFrames:
    """A recording's `tracepoints` as frames that need not all be made at once."""
    return tracepoints if isinstance(tracepoints, TracepointFrames) else HeldFrames(tracepoints)
