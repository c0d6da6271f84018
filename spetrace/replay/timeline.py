"""An event log, prepared once for all strategies.

Records, ERETs and exceptions become columns per vCPU (`streams`); what remains, the events that
can change what happens to records, becomes `items`, replayed one after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.replay.streams import Integers, Registers, Stream, VcpuEvents, build_stream
from spetrace.tables.events import KINDS

_CODE = {kind: code for code, kind in enumerate(KINDS)}
_STREAMED = [_CODE[kind] for kind in ("eret", "exception", "spe_record")]
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

    count: int
    """Events in the log."""
    first_ts: int
    last_ts: int
    starts: dict[int, tuple[int, int]]
    """Per VM the place and time of its first event, VMs in order of their number."""
    streams: list[Stream]
    record_places: Integers | None
    """Places of all records in the log, where outcomes are asked for."""
    _ts: Integers
    _items: pl.DataFrame

    def time_of(self, place: int) -> int:
        """The time of the event at `place`, ns."""
        return int(self._ts[place])

    def items(self) -> Iterator[Item]:
        """The events that are no part of a stream, in log order."""
        for chunk in self._items.iter_slices(_CHUNK):
            yield from map(Item._make, chunk.iter_rows())


def build_timeline(events: pa.Table, page_size: int, outcomes: bool) -> Timeline:
    """Prepare a table `events` that is sorted by ts and not empty."""
    frame: pl.DataFrame = pl.from_arrow(events, rechunk=False)  # type: ignore[assignment]
    ts = frame["ts"].to_numpy()
    kind = _codes(frame["kind"])
    machine = frame["vm"].to_numpy().astype(np.uint32) << np.uint32(16)
    machine |= frame["vcpu"].to_numpy()
    known, member = _members(machine)
    items = _items(frame, kind, page_size)
    streams = []
    starts: dict[int, tuple[int, int]] = {}
    for key, places in zip(known.tolist(), _places(member, len(known)), strict=True):
        streams.append(build_stream(_vcpu_events(frame, ts, kind, key, places)))
        first = (int(places[0]), int(ts[places[0]]))
        starts[key >> 16] = min(first, starts.get(key >> 16, first))
    records = np.flatnonzero(kind == _CODE["spe_record"]) if outcomes else None
    return Timeline(
        len(frame),
        int(ts[0]),
        int(ts[-1]),
        dict(sorted(starts.items())),
        streams,
        records,
        ts,
        items,
    )


def _codes(kinds: pl.Series) -> npt.NDArray[np.uint8]:
    """Kind names as their number in KINDS."""
    return kinds.cast(pl.String).replace_strict(_CODE, return_dtype=pl.UInt8).to_numpy()


def _members(machine: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint32], Integers]:
    """The vCPUs of a log in order, and which of them each event belongs to."""
    known = np.sort(pl.Series(machine).unique().to_numpy())
    return known, np.searchsorted(known, machine)


def _places(member: Integers, count: int) -> Iterator[Integers]:
    """Per vCPU the places of its events."""
    if count == 1:
        yield np.arange(len(member))
        return
    small = member.astype(np.uint16 if count <= 1 << 16 else np.uint32)
    order = np.argsort(small, kind="stable")
    ends = np.cumsum(np.bincount(small, minlength=count))
    yield from np.split(order, ends[:-1])


def _vcpu_events(
    frame: pl.DataFrame,
    ts: Integers,
    kind: npt.NDArray[np.uint8],
    key: int,
    places: Integers,
) -> VcpuEvents:
    kinds = kind[places]
    records = places[kinds == _CODE["spe_record"]]
    erets = places[kinds == _CODE["eret"]]
    writes = places[kinds == _CODE["sysreg_write"]]
    leveled = places[np.isin(kinds, [_CODE[k] for k in ("eret", "exception", "sysreg_write")])]
    to_el = frame["to_el"]
    return VcpuEvents(
        key >> 16,
        key & 0xFFFF,
        records,
        ts[records],
        _gathered(frame["bytes"], records, np.int64),
        leveled,
        to_el.gather(leveled).fill_null(1).to_numpy(),
        erets,
        to_el.gather(erets).fill_null(1).to_numpy(),
        places[(kinds == _CODE["sysreg_write"]) | (kinds == _CODE["buffer_full"])],
        _registers(frame, writes),
    )


def _gathered(column: pl.Series, places: Integers, dtype: type[np.int64]) -> Integers:
    return column.gather(places).to_numpy().astype(dtype)


def _registers(frame: pl.DataFrame, writes: Integers) -> Registers:
    rows = frame.select(pl.col("reg").cast(pl.String), "value")[writes]
    value = rows["value"]

    def bit(register: str, number: int) -> npt.NDArray[np.bool_]:
        mask = rows["reg"] == register
        seen = (value & (1 << number) != 0).set(~mask, None)
        return np.concatenate(([False], seen.fill_null(strategy="forward").fill_null(False)))

    return Registers(writes, bit("PMBLIMITR_EL1", 0), bit("PMSCR_EL1", 0), bit("PMSCR_EL1", 1))


def _items(frame: pl.DataFrame, kind: npt.NDArray[np.uint8], page_size: int) -> pl.DataFrame:
    places = np.flatnonzero(~np.isin(kind, _STREAMED))
    rows = frame.select(
        "ts", "vm", "vcpu", pl.col("kind").cast(pl.String), pl.col("reg").cast(pl.String), "value",
        "va", "ipa", "pages", "tables", "writable", pl.col("cause").cast(pl.String),
    )[places]  # fmt: skip
    near = pl.Series("near", _near(rows, page_size), pl.Boolean)
    return rows.insert_column(0, pl.Series("place", places)).with_columns(near)


def _near(rows: pl.DataFrame, page_size: int) -> npt.NDArray[np.bool_]:
    """Which rows touch, at stage 2, a page that their VM's stage 1 ever leads to."""
    near = np.zeros(len(rows), bool)
    maps = rows.filter(pl.col("kind") == "stage1_map")
    stage2 = rows["kind"].str.starts_with("stage2_").to_numpy()
    for vm in maps["vm"].unique():
        own = maps.filter(pl.col("vm") == vm)
        tables = own.select(pl.col("tables").explode()).drop_nulls()["tables"].to_numpy()
        first = np.concatenate((own["ipa"].to_numpy(), tables)) // np.uint64(page_size)
        count = np.concatenate((own["pages"].to_numpy(), np.ones(len(tables), np.uint64)))
        starts, ends = _union(first, first + count)
        mine = np.flatnonzero(stage2 & (rows["vm"] == vm).to_numpy())
        low = rows["ipa"].gather(mine).to_numpy() // np.uint64(page_size)
        high = low + rows["pages"].gather(mine).to_numpy()
        near[mine] = np.searchsorted(ends, low, "right") < np.searchsorted(starts, high)
    return near


def _union(
    first: npt.NDArray[np.uint64], end: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Ranges [first, end) merged where they overlap, as sorted starts and ends."""
    order = np.argsort(first)
    first, reach = first[order], np.maximum.accumulate(end[order])
    gap = np.concatenate(([True], first[1:] > reach[:-1]))
    return first[gap], reach[np.concatenate((np.flatnonzero(gap)[1:] - 1, [len(reach) - 1]))]
