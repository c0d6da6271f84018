"""The tables of a text log's events, gathered chunk by chunk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.columns import COMMON
from spetrace.ingest.event_text.key_values import PLACE, Pairs, Values, joined
from spetrace.ingest.event_text.names import Names
from spetrace.ingest.event_text.print_format import column_name
from spetrace.ingest.event_text.scan import MOST_KINDS, EventRows, Scan

_NONE = -(1 << 31)
"""In numbered columns; a PID that is printed is more."""
_NUMBERS = (pl.UInt64, pl.Int64, pl.Int32, pl.Int32, pl.Int32, pl.Int32, pl.Int32)
_NUMBERED = dict(zip(COMMON, _NUMBERS, strict=True))
_UNKNOWN_NAME = "<...>"
_GUEST_NAME = re.compile(r"\[guest/([0-9]{1,9})\]|:-?[0-9]+")
"""What perf script prints for a thread of a guest's machine, whose VMM is process PID, and for one
without a name."""
_U32 = {"slot": pl.UInt32(), "flags": pl.UInt32(), "prot": pl.UInt32()}
_WIDTHS = dict.fromkeys(("memslot", "s2_map", "s2_relax"), _U32)
"""Types of the recommended probes' fields that a text doesn't tell."""


class Tables:
    """Per tracepoint the chunks' frames, and the names that they number."""

    def __init__(self) -> None:
        self.comms = Names()
        self.instances = Names()
        self.count = 0
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._pairs: dict[str, list[Pairs]] = {}

    def add(self, scan: Scan) -> dict[str, int]:
        """Take a chunk's events; returns by name how many were of too many kinds to be read."""
        columns = self._common(scan)
        self.count += len(scan.rows)
        refused: dict[str, int] = {}
        for event in scan.events:
            frame = pl.DataFrame([pl.Series(c[event.rows]) for c in columns], schema=_NUMBERED)
            if event.kept is not None:
                frame = frame.filter(pl.Series(event.kept))
            if event.pairs is not None and not self._takes(event):
                refused[event.name] = len(frame)
            else:
                self._take(event, frame)
        return refused

    def _common(self, scan: Scan) -> list[npt.NDArray[np.generic]]:
        """The columns before an event's own fields, with names as numbers (none: -1)."""
        rows = scan.rows
        comm = self.comms.take(scan.comm.codes, scan.comm.names)
        instance = self.instances.take(scan.instance.codes, scan.instance.names)
        index = scan.index.astype(np.uint64) + np.uint64(self.count)
        told = [
            np.where(rows[:, c] == layout.ABSENT, _NONE, rows[:, c]).astype(np.int32)
            for c in (layout.CPU, layout.PID, layout.TGID)
        ]
        return [index, rows[:, layout.TIME], *told[:2], comm, told[2], instance]

    def _takes(self, event: EventRows) -> bool:
        return event.name in self._pairs or len(self._pairs) < MOST_KINDS

    def _take(self, event: EventRows, frame: pl.DataFrame) -> None:
        if event.fields is not None:
            keep = event.kept
            fields = (
                event.fields if keep is None else [f.filter(pl.Series(keep)) for f in event.fields]
            )
            frame = frame.hstack(fields)
        if len(frame):
            self._frames.setdefault(event.name, []).append(frame)
            if event.pairs is not None:
                self._pairs.setdefault(event.name, []).append(event.pairs)

    def mixed(self) -> set[tuple[str, str]]:
        """The (event, name) whose values are numbers in some chunks and can't be in others."""
        return {
            (event, key)
            for event, pairs in self._pairs.items()
            for key in _keys(pairs)
            if joined(_values(pairs, key)) is None
        }

    def guest_processes(self) -> dict[str, int | None]:
        """By name that perf script prints for a guest's thread the process of its VMM, if told."""
        matches = {name: _GUEST_NAME.fullmatch(name) for name in self.comms}
        return {name: int(m[1]) if m[1] else None for name, m in matches.items() if m}

    def finish(self, is_perf: bool) -> dict[str, pl.DataFrame]:
        """The tables by tracepoint, in order of their names."""
        guests = self.guest_processes() if is_perf else {}
        unknown = {_UNKNOWN_NAME, *guests}
        comms = _Lookup([None if n in unknown else n for n in self.comms], pl.Categorical())
        tgids = _Lookup([guests.get(n) for n in self.comms], pl.Int32())
        instances = _Lookup(list(self.instances), pl.Categorical())
        left_out = [] if len(self.instances) else ["instance"]
        tables = {}
        for event in sorted(self._frames):
            frame = pl.concat(self._frames.pop(event), rechunk=True)
            if event in self._pairs:
                frame = frame.hstack(_columns(event, self._pairs.pop(event)))
            told = pl.col("cpu", "pid", "tgid")
            tables[event] = frame.with_columns(
                pl.when(told != _NONE).then(told),
                comms.at(frame["comm"]),
                instances.at(frame["instance"]),
            ).drop(left_out)
            if guests:
                tgid = pl.coalesce("tgid", tgids.at(frame["comm"]))
                tables[event] = tables[event].with_columns(tgid.alias("tgid"))
        return tables


class _Lookup:
    """What numbers stand for; null for -1."""

    def __init__(self, values: Sequence[str | int | None], type_: pl.DataType) -> None:
        self._values = pl.Series([*values, None], dtype=type_)

    def at(self, numbers: pl.Series) -> pl.Series:
        """The values of the numbers, under the same name."""
        places = numbers.to_numpy()
        places = np.where(places < 0, len(self._values) - 1, places)
        return self._values.gather(places).alias(numbers.name)


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
