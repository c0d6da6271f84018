"""An event log, prepared once for all strategies.

Records, ERETs and exceptions become columns per vCPU (`streams`); what remains, the events that
can change what happens to records, becomes `items`, replayed one after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.replay.log_columns import CODE, LogColumns, Places
from spetrace.replay.near import mark_near
from spetrace.replay.streams import Registers, Stream, VcpuEvents, build_stream

_STREAMED = [CODE[kind] for kind in ("eret", "exception", "spe_record")]
_CHUNK = 1 << 16


class Item(NamedTuple):
    """One event that can change what happens to records."""

    place: int
    ts: int
    vm: int
    vcpu: int
    kind: str
    reg: str | None
    value: int | None
    va: int | None
    ipa: int | None
    pages: int | None
    tables: list[int] | None
    writable: bool | None
    cause: str | None
    near: bool
    """Of a stage-2 event: whether it touches an IPA that some stage 1 of the VM ever leads to."""


@dataclass(frozen=True)
class Timeline:
    """A prepared event log."""

    events: pa.Table
    starts: dict[int, tuple[int, int]]
    """Per VM the place and time of its first event, VMs in order of their number."""
    streams: list[Stream]
    record_places: Places | None
    """Places of all records in the log, where outcomes are asked for."""
    rows: pl.DataFrame
    """The events that are no part of a stream, in log order: the columns of Item."""

    @property
    def count(self) -> int:
        """Events in the log."""
        return int(self.events.num_rows)

    @property
    def span(self) -> tuple[int, int]:
        """Times of the first and the last event, ns."""
        return self.time_of(0), self.time_of(self.count - 1)

    def time_of(self, place: int) -> int:
        """The time of the event at `place`, ns."""
        return int(self.events["ts"][place].as_py())

    def items(self) -> Iterator[Item]:
        """The events that are no part of a stream, in log order."""
        for chunk in self.rows.iter_slices(_CHUNK):
            yield from map(Item._make, chunk.iter_rows())


def build_timeline(events: pa.Table, page_size: int, outcomes: bool) -> Timeline:
    """Prepare a table `events` that is sorted by ts and not empty."""
    columns = LogColumns(events)
    items = _items(columns, page_size)
    streams = []
    starts: dict[int, tuple[int, int]] = {}
    for machine, places in columns.members():
        vm, place = machine >> 16, int(places[0])
        first = (place, int(events["ts"][place].as_py()))
        starts[vm] = min(first, starts.get(vm, first))
        streams.append(build_stream(_vcpu_events(columns, items, machine, places)))
    records = columns.places(columns.kinds == CODE["spe_record"]) if outcomes else None
    return Timeline(events, dict(sorted(starts.items())), streams, records, items)


def _vcpu_events(
    columns: LogColumns, items: pl.DataFrame, machine: int, places: Places
) -> VcpuEvents:
    kinds = columns.kinds[places]
    records = places[kinds == CODE["spe_record"]]
    erets = places[kinds == CODE["eret"]]
    leveled = places[np.isin(kinds, [CODE[k] for k in ("eret", "exception", "sysreg_write")])]
    to_el = columns.gather("to_el", leveled, np.uint8)
    to_el[columns.kinds[leveled] != CODE["eret"]] = 1
    own = items.filter(
        pl.col("vm") == machine >> 16,
        pl.col("vcpu") == machine & 0xFFFF,
        pl.col("kind").is_in(["sysreg_write", "buffer_full"]),
    )
    return VcpuEvents(
        machine >> 16,
        machine & 0xFFFF,
        records,
        columns.gather("ts", records, np.int64),
        columns.gather("bytes", records, np.uint32),
        leveled,
        to_el,
        erets,
        columns.gather("to_el", erets, np.uint8),
        own["place"].to_numpy(),
        _registers(own.filter(pl.col("kind") == "sysreg_write")),
    )


def _registers(writes: pl.DataFrame) -> Registers:
    def bit(register: str, number: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        seen = pl.when(pl.col("reg") == register).then(pl.col("value") & (1 << number) != 0)
        steps = writes.select(seen.forward_fill().fill_null(False))
        return np.concatenate(([False], steps.to_series().to_numpy()))

    return Registers(
        writes["place"].to_numpy(),
        bit("PMBLIMITR_EL1", 0),
        bit("PMSCR_EL1", 0),
        bit("PMSCR_EL1", 1),
    )


def _items(columns: LogColumns, page_size: int) -> pl.DataFrame:
    places = columns.places(~np.isin(columns.kinds, _STREAMED))
    names = [name for name in Item._fields if name not in ("place", "near")]
    rows = columns.rows(places).select(names)
    rows = rows.insert_column(0, pl.Series("place", places, pl.UInt64))
    return rows.with_columns(mark_near(rows, page_size))
