"""The tables of a text log's events, gathered chunk by chunk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.columns import COMMON, owned, told
from spetrace.ingest.event_text.key_values import PLACE, Pairs, Values, joined
from spetrace.ingest.event_text.print_format import column_name
from spetrace.ingest.event_text.scan import MOST_KINDS, Named, Scan

_UNKNOWN_NAME = "<...>"
_GUEST_NAME = re.compile(r"\[guest/([0-9]{1,9})\]|:-?[0-9]+")
"""What perf script prints for a thread of a guest's machine, whose VMM is process PID, and for one
without a name."""
_U32 = {"slot": pl.UInt32(), "flags": pl.UInt32(), "prot": pl.UInt32()}
_WIDTHS = dict.fromkeys(("memslot", "s2_map", "s2_relax"), _U32)
"""Types of the recommended probes' fields that a text doesn't tell."""


class Tables:
    """Per tracepoint the chunks' frames."""

    def __init__(self, is_perf: bool) -> None:
        self.count = 0
        self.instances: dict[str, None] = {}
        self.has_guest = False
        """Whether perf script printed a thread of a guest's machine."""
        self._is_perf = is_perf
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._pairs: dict[str, list[Pairs]] = {}

    def add(self, scan: Scan) -> dict[str, int]:
        """Take a chunk's events; returns by name how many were of too many kinds to be read."""
        common = self._common(scan)
        self.count += len(scan.rows)
        refused: dict[str, int] = {}
        for event in scan.events:
            frame = common[event.rows].hstack(event.fields)
            if not event.kept.all():
                frame = frame.filter(pl.Series(event.kept))
            if event.pairs is None:
                self._frames.setdefault(event.name, []).append(frame)
            elif event.name in self._pairs or len(self._pairs) < MOST_KINDS:
                self._frames.setdefault(event.name, []).append(frame)
                self._pairs.setdefault(event.name, []).append(event.pairs)
            else:
                refused[event.name] = len(frame)
        return refused

    def _common(self, scan: Scan) -> pl.DataFrame:
        """The columns before the events' own fields."""
        rows = scan.rows
        index = scan.index.astype(np.uint64) + np.uint64(self.count)
        guests = _guest_processes(scan.comm.names) if self._is_perf else {}
        names = [None if n == _UNKNOWN_NAME or n in guests else n for n in scan.comm.names]
        processes = [guests.get(n) for n in scan.comm.names]
        self.has_guest = self.has_guest or any(process is not None for process in processes)
        self.instances |= dict.fromkeys(scan.instance.names)
        tgid = told(rows[:, layout.TGID])
        if guests:
            tgid = tgid.zip_with(tgid.is_not_null(), _named(scan.comm, processes, pl.Int32()))
        columns = (
            owned(pl.Series(index)),
            owned(pl.Series(np.ascontiguousarray(rows[:, layout.TIME]))),
            told(rows[:, layout.CPU]),
            told(rows[:, layout.PID]),
            _named(scan.comm, names, pl.Categorical()),
            tgid,
            _named(scan.instance, scan.instance.names, pl.Categorical()),
        )
        return pl.DataFrame([c.alias(n) for n, c in zip(COMMON, columns, strict=True)])

    def mixed(self) -> set[tuple[str, str]]:
        """The (event, name) whose values are numbers in some chunks and can't be in others."""
        return {
            (event, key)
            for event, pairs in self._pairs.items()
            for key in _keys(pairs)
            if joined(_values(pairs, key)) is None
        }

    def finish(self) -> dict[str, pl.DataFrame]:
        """The tables by tracepoint, in order of their names."""
        tables = {}
        for event in sorted(self._frames):
            frame = pl.concat(self._frames.pop(event))
            if event in self._pairs:
                frame = frame.hstack(_columns(event, self._pairs.pop(event)))
            tables[event] = frame if self.instances else frame.drop("instance")
        return tables


def _named(named: Named, values: Sequence[str | int | None], type_: pl.DataType) -> pl.Series:
    """What the numbers stand for by `values`; null for -1."""
    codes = np.where(named.codes < 0, len(values), named.codes)
    return pl.Series([*values, None], dtype=type_).gather(codes)


def _guest_processes(names: Iterable[str]) -> dict[str, int | None]:
    """By name that perf script prints for a guest's thread the process of its VMM, if told."""
    matches = {name: _GUEST_NAME.fullmatch(name) for name in names}
    return {name: int(m[1]) if m[1] else None for name, m in matches.items() if m}


def _keys(pairs: Iterable[Pairs]) -> list[str]:
    return list(dict.fromkeys(key for part in pairs for key in part.values))


def _values(pairs: Iterable[Pairs], key: str) -> list[Values]:
    return [part.values.get(key, Values(part.count)) for part in pairs]


def _columns(event: str, pairs: list[Pairs]) -> list[pl.Series]:
    return list(_iter_columns(pairs, _WIDTHS.get(event, {})))


def _iter_columns(pairs: list[Pairs], types: Mapping[str, pl.DataType]) -> Iterator[pl.Series]:
    taken = set(COMMON)
    places = [p.place for p in pairs]
    if any(place is not None for place in places):
        taken.add(PLACE)
        yield pl.concat(
            pl.repeat(None, p.count, dtype=pl.UInt64, eager=True) if p.place is None else p.place
            for p in pairs
        ).alias(PLACE)
    for key in _keys(pairs):
        values = joined(_values(pairs, key))
        if values is None:
            continue
        name = column_name(key, taken)
        taken.add(name)
        if key in types and values.dtype.is_integer():
            values = values.cast(types[key], strict=False)
        yield values.alias(name)
