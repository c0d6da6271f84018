"""What every event of a log has, as arrays: its kind, its vCPU, its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.tables.events import KINDS

CODE = {kind: code for code, kind in enumerate(KINDS)}
Numbers = npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.uint8]

BATCH_ROWS = 1 << 18
_VCPU_BITS = 16


def event_batches(events: pa.Table | Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of a table `events`, or batches of such rows as they come."""
    return iter(events.to_batches(BATCH_ROWS) if isinstance(events, pa.Table) else events)


def codes_of(names: pa.DictionaryArray, known: Sequence[str]) -> pa.Array:
    """A column of names as their numbers in `known`; null where null."""
    numbers = {name: number for number, name in enumerate(known)}
    table = pa.array([numbers.get(name) for name in names.dictionary.to_pylist()], pa.uint8())
    return table.take(names.indices)


def kinds_of(batch: pa.RecordBatch) -> Kinds:
    """The events' kinds, by their number in KINDS."""
    kinds: Kinds = codes_of(batch.column("kind"), KINDS).to_numpy(zero_copy_only=False)
    return kinds


def integers_of(batch: pa.RecordBatch, name: str, absent: int = 0) -> npt.NDArray[Any]:
    """A column of integers; `absent` where null."""
    column = batch.column(name)
    filled = column.fill_null(absent) if column.null_count else column
    return filled.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


class LogVcpus:
    """The vCPUs of a log, numbered as they come."""

    def __init__(self) -> None:
        self.names: list[tuple[int, int]] = []
        """(VM, vCPU) by number."""
        self.starts: dict[int, tuple[int, int]] = {}
        """Per VM the place and time of its first event."""
        self._machines: Numbers = np.zeros(0, np.uint32)
        self._numbers: Numbers = np.zeros(0, np.uint32)

    def __len__(self) -> int:
        return len(self.names)

    def number(self, batch: pa.RecordBatch, place: int) -> Numbers:
        """The number of each event's vCPU; the batch's first event is at `place` in the log."""
        machines = integers_of(batch, "vm").astype(np.uint32) << np.uint32(_VCPU_BITS)
        machines |= integers_of(batch, "vcpu")
        seen = pl.Series(machines).unique().to_numpy()
        fresh = np.setdiff1d(seen, self._machines, assume_unique=True)
        if len(fresh):
            self._add(machines, fresh, batch, place)
        if len(seen) == 1:
            only = self._numbers[np.searchsorted(self._machines, seen[0])]
            return np.broadcast_to(only, machines.shape)
        return self._numbers[np.searchsorted(self._machines, machines)]

    def _add(self, machines: Numbers, fresh: Numbers, batch: pa.RecordBatch, place: int) -> None:
        candidates = np.flatnonzero(np.isin(machines, fresh))
        found, first = np.unique(machines[candidates], return_index=True)
        times = integers_of(batch, "ts")
        for machine, at in sorted(zip(found.tolist(), candidates[first].tolist(), strict=True)):
            vm = machine >> _VCPU_BITS
            start = place + at, int(times[at])
            self.starts[vm] = min(start, self.starts.get(vm, start))
            self.names.append((vm, machine & ((1 << _VCPU_BITS) - 1)))
        everyone = np.concatenate((self._machines, found))
        order = np.argsort(everyone)
        numbers = np.arange(len(self.names) - len(found), len(self.names), dtype=np.uint32)
        self._machines = everyone[order]
        self._numbers = np.concatenate((self._numbers, numbers))[order]
