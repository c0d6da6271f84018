"""Several files' events of one host in one order, a stretch at a time.

How it works: of each file a stretch is held. What lies before the end of all of them is complete, and
goes out in order of time; of one time in order of the files, and within a file as it is recorded there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

Stretch = dict[str, pl.DataFrame]


def merged(sources: Sequence[Iterator[Stretch]]) -> Iterator[Stretch]:
    """The events of files whose stretches follow each other in time; their `order` becomes that of all."""
    ahead = [_Ahead(source) for source in sources]
    count = 0
    while any(each.held for each in ahead):
        open_ends = [each.last_ns for each in ahead if each.has_more]
        until = min(open_ends, default=None)
        stretch = by_time([each.before(until) for each in ahead], count)
        count += sum(map(len, stretch.values()))
        if stretch:
            yield stretch
        for each in ahead:
            if each.has_more and (each.last_ns == until or not each.held):
                each.take()


class _Ahead:
    """The events of one file that are next."""

    def __init__(self, source: Iterator[Stretch]) -> None:
        self._source = source
        self.held: Stretch = {}
        self.has_more = True
        """Whether later ones may follow."""
        self.last_ns = 0
        """Time of the last that was taken."""
        self.take()

    def take(self) -> None:
        """Hold the next stretch, too."""
        stretch = next((s for s in self._source if any(map(len, s.values()))), None)
        if stretch is None:
            self.has_more = False
            return
        self.last_ns = max(span[1] for span in _spans(stretch))
        self.held = _joined([self.held, stretch])

    def before(self, time_ns: int | None) -> Stretch:
        """Give away what is before a time, or all."""
        if time_ns is None:
            held, self.held = self.held, {}
            return held
        early = pl.col("time_ns") < time_ns
        given = {name: frame.filter(early) for name, frame in self.held.items()}
        rest = {name: frame.filter(~early) for name, frame in self.held.items()}
        self.held = {name: frame for name, frame in rest.items() if len(frame)}
        return {name: frame for name, frame in given.items() if len(frame)}


def follow_in_time(stretches: Iterator[Stretch]) -> bool:
    """Whether no event of a stretch is before one of the stretches before."""
    last: int | None = None
    for stretch in stretches:
        spans = _spans(stretch)
        if spans and last is not None and min(span[0] for span in spans) < last:
            return False
        last = max((span[1] for span in spans), default=last)
    return True


def by_time(parts: Sequence[Stretch], first: int = 0) -> Stretch:
    """The events of several files, their `order` that of time, from `first` on."""
    frames = _joined(parts)
    if not frames:
        return {}
    keys = pl.concat(frame.select("time_ns", "source", "order") for frame in frames.values())
    place = keys.with_row_index("at").sort("time_ns", "source", "order", maintain_order=True)
    order = place.with_row_index("place").sort("at")["place"].cast(pl.Int64) + first
    ordered, start = {}, 0
    for name, frame in frames.items():
        own = order.slice(start, len(frame)).alias("order")
        ordered[name], start = frame.with_columns(own).sort("order"), start + len(frame)
    return ordered


def _joined(parts: Sequence[Stretch]) -> Stretch:
    frames: dict[str, list[pl.DataFrame]] = {}
    for part in parts:
        for name, frame in part.items():
            frames.setdefault(name, []).append(frame)
    return {name: pl.concat(own, how="diagonal_relaxed") for name, own in frames.items()}


def _spans(stretch: Stretch) -> list[tuple[int, int]]:
    columns = [frame["time_ns"].to_numpy() for frame in stretch.values() if len(frame)]
    return [(int(times.min()), int(times.max())) for times in columns]
