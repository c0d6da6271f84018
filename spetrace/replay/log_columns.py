"""A table `events` read column by column, chunk by chunk, without copying it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.tables.events import KINDS

Number = TypeVar("Number", bound=np.number[Any])

Places = npt.NDArray[np.unsignedinteger]
"""Positions in the log, ascending; uint32 unless the log is longer than that."""

CODE = {kind: code for code, kind in enumerate(KINDS)}


class LogColumns:
    """Gathers from the columns of one event log."""

    def __init__(self, events: pa.Table) -> None:
        self._events = events
        self.place_type = np.uint32 if events.num_rows < 1 << 32 else np.uint64
        self.kinds = np.concatenate([_kind_codes(chunk) for chunk in events["kind"].chunks])
        machine = events["vm"].to_numpy().astype(np.uint32) << np.uint32(16)
        machine |= events["vcpu"].to_numpy()
        self.machines: list[int] = sorted(pl.Series(machine).unique().to_list())
        """(vm << 16 | vcpu) of each vCPU that has an event."""
        self._member = np.searchsorted(np.array(self.machines, np.uint32), machine).astype(
            np.uint8 if len(self.machines) <= 1 << 8 else np.uint32
        )

    def places(self, mask: npt.NDArray[np.bool_]) -> Places:
        """The places where `mask` is set."""
        return np.flatnonzero(mask).astype(self.place_type)

    def members(self) -> Iterator[tuple[int, Places]]:
        """Per vCPU (vm << 16 | vcpu) the places of its events."""
        if len(self.machines) <= 1 << 5:
            for number, machine in enumerate(self.machines):
                yield machine, self.places(self._member == number)
            return
        order = np.argsort(self._member, kind="stable").astype(self.place_type)
        ends = np.cumsum(np.bincount(self._member, minlength=len(self.machines)))
        yield from zip(self.machines, np.split(order, ends[:-1]), strict=True)

    def gather(self, name: str, places: Places, dtype: type[Number]) -> npt.NDArray[Number]:
        """The values of an integer column at `places`; 0 where null."""
        return gather(self._events[name], places, dtype)

    def rows(self, places: Places) -> pl.DataFrame:
        """The whole rows at `places`, names as strings."""
        batches = []
        start = 0
        for batch in self._events.to_batches():
            first, last = np.searchsorted(places, [start, start + len(batch)])
            if first < last:
                local = places[first:last] - places.dtype.type(start)
                batches.append(batch.take(pa.array(local)))
            start += len(batch)
        table = pa.Table.from_batches(batches, schema=self._events.schema).unify_dictionaries()
        frame = pl.DataFrame(table)
        return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def gather(
    column: pa.ChunkedArray, places: Places, dtype: type[Number], absent: int = 0
) -> npt.NDArray[Number]:
    """The values of an integer column at `places`; `absent` where null."""
    out = np.empty(len(places), dtype)
    start = 0
    for chunk in column.chunks:
        first, last = np.searchsorted(places, [start, start + len(chunk)])
        if first < last:
            values = chunk.fill_null(absent).to_numpy(zero_copy_only=False)
            out[first:last] = values[places[first:last] - places.dtype.type(start)]
        start += len(chunk)
    return out


def _kind_codes(chunk: pa.DictionaryArray) -> npt.NDArray[np.uint8]:
    table = np.array([CODE[kind] for kind in chunk.dictionary.to_pylist()] or [0], np.uint8)
    codes: npt.NDArray[np.uint8] = table[chunk.indices.to_numpy(zero_copy_only=False)]
    return codes
