"""Events of several sources to table events, in time order, in batches of about a quarter of a million rows.

How it works: each source gives its events in runs, and with each a time that its later ones don't
come before. Runs are taken from the source that is behind all others; what lies before the lowest
of the sources' times is complete, and goes out in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from heapq import heappop, heapreplace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import (
    NO_ROW,
    PAYLOAD,
    REGISTER_SHIFT,
    EventRun,
    concatenated,
    is_constant,
)
from spetrace.session.merge_kernel import merged_order
from spetrace.tables.events import CAUSES, EVENTS, KINDS, REGISTERS

CHUNK_ROWS: Final = 1 << 18
NEVER: Final = (1 << 63) - 1
"""The last time there is."""
_PIECE_ROWS: Final = 1 << 15
_KINDS_WITH = PAYLOAD | {
    "reg": ("sysreg_write",),
    "va": ("stage1_map", "stage1_unmap"),
    "ipa": ("stage1_map", "stage2_map", "stage2_wrprotect", "stage2_unmap"),
    "pages": ("stage1_map", "stage1_unmap", "stage2_map", "stage2_wrprotect", "stage2_unmap"),
}
_HAS = {name: [KINDS.index(kind) for kind in kinds] for name, kinds in _KINDS_WITH.items()}
_NAMES = {"kind": pa.array(KINDS), "reg": pa.array(REGISTERS), "cause": pa.array(CAUSES)}


class TimedRun(NamedTuple):
    """Events of one source, and a time that no later event of that source comes before."""

    run: EventRun
    later_ns: int
    """NEVER where the source has none."""


def in_pieces(run: EventRun, rows: int = _PIECE_ROWS) -> Iterator[TimedRun]:
    """The events of a run that is in memory, by time, in pieces of at most `rows`."""
    ordered = run.in_time_order()
    for start in range(0, len(ordered), rows):
        end = start + rows
        later = int(ordered.ts[end]) if end < len(ordered) else NEVER
        yield TimedRun(ordered.part(slice(start, end)), later)


def merged_batches(
    sources: Sequence[Iterable[TimedRun]], chunk_rows: int = CHUNK_ROWS
) -> Iterator[pa.RecordBatch]:
    """All events of the sources as batches of table events, by time; of one time, source after
    source as made.

    What is held is about `chunk_rows` events, and those that the sources give out of time order.
    Columns that a batch does not use share one array of nulls, so that a log of SPE records takes
    little more than its times, sizes and rows.
    """
    writer = _ChunkWriter()
    for chunk in _chunks([_Source(source) for source in sources], chunk_rows):
        yield writer.batch(chunk)


class _Source:
    """The events of one source that were taken and are not yet in order with all others'."""

    def __init__(self, runs: Iterable[TimedRun]) -> None:
        self._runs = iter(runs)
        self._held: list[EventRun] = []
        self.later_ns = -NEVER - 1

    def take(self) -> int | None:
        """Take the next run, and give its rows; None where there are no more."""
        taken = next(self._runs, None)
        if taken is None:
            return None
        run, self.later_ns = taken
        if len(run):
            self._held.append(run.in_time_order())
        return len(run)

    def parts_before(self, time: int | None) -> list[EventRun]:
        """Give away the events before a time, or all, as runs in time order."""
        held, self._held = self._held, []
        if time is None:
            return held
        early = [int(np.searchsorted(run.ts, time)) for run in held]
        parts = list(zip(held, early, strict=True))
        self._held = [run.part(slice(end, None)) for run, end in parts if end < len(run)]
        return [run.part(slice(end)) for run, end in parts if end]


def _chunks(sources: list[_Source], chunk_rows: int) -> Iterator[EventRun]:
    waiting = [(source.later_ns, number) for number, source in enumerate(sources)]
    held, enough = 0, chunk_rows
    while waiting:
        _, number = waiting[0]
        source = sources[number]
        rows = source.take()
        if rows is None:
            heappop(waiting)
        else:
            heapreplace(waiting, (source.later_ns, number))
        held += rows or 0
        if held >= enough or not waiting:
            chunk = _ordered_before(sources, waiting[0][0] if waiting else None)
            held -= len(chunk)
            enough = 2 * held + chunk_rows
            if len(chunk):
                yield chunk


def _ordered_before(sources: list[_Source], time: int | None) -> EventRun:
    parts = [part for source in sources for part in source.parts_before(time)]
    chunk = concatenated(parts)
    if len(parts) < 2:
        return chunk
    ends = np.cumsum([len(part) for part in parts])
    falls = chunk.ts[ends[:-1]] < chunk.ts[ends[:-1] - 1]
    if not falls.any():
        return chunk
    bounds = np.concatenate(([0], ends[:-1][falls], ends[-1:]))
    return chunk.part(merged_order(chunk.ts, bounds))


class _ChunkWriter:
    """Compact events to record batches of table events; keeps the arrays of nulls."""

    def __init__(self) -> None:
        self._nulls: dict[pa.DataType, pa.Array] = {}

    def batch(self, run: EventRun) -> pa.RecordBatch:
        """The events as one batch."""
        kind = run.code & np.uint8((1 << REGISTER_SHIFT) - 1)
        present = np.zeros(len(KINDS), bool)
        present[kind] = True
        columns = _columns(run, kind)
        arrays = []
        for column in EVENTS.columns:
            values = columns.get(column.name, run.value)
            valid = _validity(column.name, kind, present, values)
            if isinstance(valid, np.ndarray) or valid:
                arrays.append(_array(column.name, column.type, values, valid))
            else:
                arrays.append(self._null_array(column.type, len(kind)))
        return pa.RecordBatch.from_arrays(arrays, schema=EVENTS.schema)

    def _null_array(self, type_: pa.DataType, rows: int) -> pa.Array:
        kept = self._nulls.get(type_)
        if kept is None or len(kept) < rows:
            kept = self._nulls[type_] = pa.nulls(rows, type_)
        return kept.slice(0, rows)


def _columns(run: EventRun, kind: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    own = {name: getattr(run, name) for name in ("ts", "vm", "vcpu", "va", "ipa", "pages")}
    return own | {"kind": kind, "reg": run.code >> REGISTER_SHIFT, "row": run.row}


def _validity(
    name: str,
    kind: npt.NDArray[np.uint8],
    present: npt.NDArray[np.bool_],
    values: npt.NDArray[Any],
) -> npt.NDArray[np.bool_] | bool:
    """Where a column is not null: true or false for everywhere or nowhere."""
    if name == "row":
        valid: npt.NDArray[np.bool_] = values != NO_ROW
        return bool(valid[0]) if is_constant(values) else valid
    if name == "tables":
        return False
    own = [code for code in _HAS.get(name, ()) if present[code]]
    if name not in _HAS or len(own) == np.count_nonzero(present):
        return True
    return reduce(np.logical_or, [kind == code for code in own]) if own else False


def _array(
    name: str,
    type_: pa.DataType,
    values: npt.NDArray[Any],
    valid: npt.NDArray[np.bool_] | bool,
) -> pa.Array:
    is_partly = isinstance(valid, np.ndarray)
    bitmap = pa.py_buffer(np.packbits(valid, bitorder="little")) if is_partly else None
    if name in _NAMES:
        codes = [bitmap, pa.py_buffer(values.astype(np.int32))]
        return pa.DictionaryArray.from_buffers(type_, len(values), codes, _NAMES[name])
    if pa.types.is_boolean(type_):
        return pa.array(values.astype(bool), type_, mask=~valid if is_partly else None)
    plain = np.ascontiguousarray(values, type_.to_pandas_dtype())
    return pa.Array.from_buffers(type_, len(values), [bitmap, pa.py_buffer(plain)])
