"""Runs of events to one table events, in time order, in chunks of about a million rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import (
    NO_ROW,
    PAYLOAD,
    REGISTER_SHIFT,
    EventRun,
    Integers,
    concatenated,
    is_constant,
)
from spetrace.tables.events import CAUSES, EVENTS, KINDS, REGISTERS

CHUNK_ROWS = 1 << 20
_SAMPLES_PER_CHUNK = 64
_KINDS_WITH = PAYLOAD | {
    "reg": ("sysreg_write",),
    "va": ("stage1_map", "stage1_unmap"),
    "ipa": ("stage1_map", "stage2_map", "stage2_wrprotect", "stage2_unmap"),
    "pages": ("stage1_map", "stage1_unmap", "stage2_map", "stage2_wrprotect", "stage2_unmap"),
}
_HAS = {name: np.array([k in kinds for k in KINDS]) for name, kinds in _KINDS_WITH.items()}
_NAMES = {"kind": pa.array(KINDS), "reg": pa.array(REGISTERS), "cause": pa.array(CAUSES)}


def merge_runs(runs: Sequence[EventRun], chunk_rows: int = CHUNK_ROWS) -> pa.Table:
    """All events of `runs` as table events, by time; of one time, run after run as made.

    Columns that a chunk does not use share one array of nulls, so that a log of SPE records takes
    little more than its times, sizes and rows.
    """
    ordered = [run.in_time_order() for run in runs if len(run)]
    writer = _ChunkWriter()
    batches = [writer.batch(chunk) for chunk in _chunks(ordered, chunk_rows)]
    return pa.Table.from_batches(batches, schema=EVENTS.schema)


def _chunks(runs: list[EventRun], chunk_rows: int) -> Iterator[EventRun]:
    if not runs:
        return
    bounds = _time_bounds(runs, chunk_rows)
    cuts = np.stack([_cuts(run, bounds) for run in runs])
    for low, high in zip(cuts.T[:-1], cuts.T[1:], strict=True):
        parts = [run.part(slice(a, b)) for run, a, b in zip(runs, low, high, strict=True) if b > a]
        if parts:
            yield concatenated(parts).in_time_order()


def _time_bounds(runs: list[EventRun], chunk_rows: int) -> Integers:
    """Times that part the events into chunks of about `chunk_rows`; one time is in one chunk."""
    if sum(map(len, runs)) <= chunk_rows:
        return np.zeros(0, np.int64)
    step = max(1, chunk_rows // _SAMPLES_PER_CHUNK)
    samples = np.sort(np.concatenate([run.ts[::step] for run in runs]))
    return np.unique(samples[_SAMPLES_PER_CHUNK::_SAMPLES_PER_CHUNK])


def _cuts(run: EventRun, bounds: Integers) -> Integers:
    return np.concatenate(([0], np.searchsorted(run.ts, bounds), [len(run)]))


class _ChunkWriter:
    """Compact events to record batches of table events; keeps the arrays of nulls."""

    def __init__(self) -> None:
        self._nulls: dict[pa.DataType, pa.Array] = {}

    def batch(self, run: EventRun) -> pa.RecordBatch:
        kind = run.code & np.uint8((1 << REGISTER_SHIFT) - 1)
        present = np.bincount(kind, minlength=len(KINDS)) > 0
        columns = _columns(run, kind)
        arrays = []
        for column in EVENTS.columns:
            values = columns.get(column.name, run.value)
            null = _null_mask(column.name, kind, present, values)
            if isinstance(null, np.ndarray) or not null:
                arrays.append(_array(column.name, column.type, values, null))
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


def _null_mask(
    name: str,
    kind: npt.NDArray[np.uint8],
    present: npt.NDArray[np.bool_],
    values: npt.NDArray[Any],
) -> npt.NDArray[np.bool_] | bool:
    """Where a column is null: true or false for everywhere or nowhere."""
    if name == "row":
        null: npt.NDArray[np.bool_] = values == NO_ROW
        return bool(null[0]) if is_constant(values) else null
    if name == "tables":
        return True
    if name not in _HAS or _HAS[name][present].all():
        return False
    return ~_HAS[name][kind] if _HAS[name][present].any() else True


def _array(
    name: str,
    type_: pa.DataType,
    values: npt.NDArray[Any],
    null: npt.NDArray[np.bool_] | bool,
) -> pa.Array:
    mask = null if isinstance(null, np.ndarray) else None
    if name in _NAMES:
        codes = pa.array(values.astype(np.int32), mask=mask)
        return pa.DictionaryArray.from_arrays(codes, _NAMES[name])
    return pa.array(values.astype(type_.to_pandas_dtype(), copy=False), type_, mask=mask)
