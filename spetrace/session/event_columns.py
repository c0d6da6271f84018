"""The events of one tracepoint as columns of numbers: however many there are, memory holds a bounded part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.host_stretches import pids_of
from spetrace.spooled import AnyArray, chunks, let_go, room

Mask = npt.NDArray[np.bool_]
_COMMON: Final = (np.int64(0), np.int64(0), np.uint16(0), np.uint32(0), np.int32(0))
"""As EventColumns.common."""
_GIVEN: Final = ("order", "time_ns", "source", "row")
_FIELD: Final = (np.uint64(0), np.bool_(False))


@dataclass(frozen=True)
class EventColumns:
    """Events in order, as columns of one length."""

    fields: Mapping[str, tuple[Addresses, Mask]]
    """Of the tracepoint's own fields the values, 0 where there is none, and where there is one."""
    order: Integers
    """Place among all events of the host trace; unique."""
    time_ns: Integers
    """Time on the session's clock."""
    source: npt.NDArray[np.uint16]
    row: npt.NDArray[np.uint32]
    """Row in the tracepoint's own table."""
    pid: npt.NDArray[np.int32]
    """Thread; -1 where unknown."""

    def __len__(self) -> int:
        return len(self.order)

    def unsigned(self, field: str) -> Addresses:
        """One of the tracepoint's own fields; 0 where an event lacks it."""
        return self.fields[field][0]

    def knows(self, field: str) -> Mask:
        """Where the field has a value."""
        return self.fields[field][1]

    def part(self, select: Any) -> EventColumns:
        """The events that a slice, a mask or an index array selects."""
        fields = {name: (v[select], known[select]) for name, (v, known) in self.fields.items()}
        return EventColumns(fields, *(column[select] for column in self.common))

    def parts(self) -> Iterator[EventColumns]:
        """All of them, a bounded number at a time."""
        for select in chunks(len(self)):
            yield self.part(select)
            let_go(self.order)

    @property
    def common(self) -> tuple[AnyArray, ...]:
        """The columns that all tracepoints have."""
        return self.order, self.time_ns, self.source, self.row, self.pid


class ColumnsBuilder:
    """Takes at most `count` events, of which `fields` are kept."""

    def __init__(self, count: int, fields: Sequence[str]) -> None:
        columns = room(count, *_COMMON, *(fill for _ in fields for fill in _FIELD))
        common, own = columns[: len(_COMMON)], columns[len(_COMMON) :]
        pairs = zip(own[::2], own[1::2], strict=True)
        self._columns = EventColumns(dict(zip(fields, pairs, strict=True)), *common)
        self._count = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Append events as host_stretches gives them."""
        self.append(columns_of(frame, list(self._columns.fields)))

    def append(self, events: EventColumns) -> None:
        """Append events."""
        rows = slice(self._count, self._count + len(events))
        self._count = rows.stop
        for column, values in zip(self._columns.common, events.common, strict=True):
            column[rows] = values
        for name, (values, known) in events.fields.items():
            self._columns.fields[name][0][rows] = values
            self._columns.fields[name][1][rows] = known
        let_go(self._columns.order)

    def finish(self) -> EventColumns:
        """All events so far."""
        return self._columns.part(slice(self._count))


def columns_of(frame: pl.DataFrame, fields: Sequence[str]) -> EventColumns:
    """The events of a frame as host_stretches gives it."""
    order, time_ns, source, row = (frame[name].to_numpy() for name in _GIVEN)
    own = {name: _field(frame, name) for name in fields}
    return EventColumns(own, order, time_ns, source, row, pids_of(frame))


def _field(frame: pl.DataFrame, name: str) -> tuple[Addresses, Mask]:
    column = unsigned(frame, name)
    return column.fill_null(0).to_numpy(), column.is_not_null().to_numpy()


def unsigned(frame: pl.DataFrame, field: str) -> pl.Series:
    """A field as unsigned numbers; null where it is none, or the frame lacks it."""
    if field not in frame.columns:
        return pl.Series(field, [None] * len(frame), pl.UInt64)
    column = frame[field]
    if column.dtype == pl.Int64:
        return column.reinterpret(signed=False)
    return column.cast(pl.UInt64, strict=False)
