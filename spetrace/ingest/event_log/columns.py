"""Events as a polars frame between a file and table events: its types, checks and last touches.

Integers are as wide as they come, names are positions in their lists; so a frame can hold values
that are out of range, and `invalid` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.ingest.event_log.fields import (
    ADDRESSES,
    COMMON,
    DEFAULTS,
    INTEGERS,
    NAMES,
    REQUIRED,
    kinds_with,
)
from spetrace.tables.events import EVENTS, KINDS
from spetrace.tables.table import NAME

FRAME = pl.Schema(
    dict.fromkeys(EVENTS.names, pl.UInt64)
    | dict.fromkeys(NAMES, pl.UInt8)
    | {"ts": pl.Int64, "writable": pl.Boolean, "tables": pl.List(pl.UInt64)}
)
"""Columns of the frame; `kind`, `reg` and `cause` are positions in their lists of names."""

_KIND_FIELDS = [n for n in EVENTS.names if n not in ("ts", "kind", *COMMON)]


def checked(
    frame: pl.DataFrame, odd: pl.Series, page_size: int, read: Callable[[int], dict[str, Any]]
) -> pa.Table:
    """The frame as table events, with every `odd` or invalid row read again by `read`.

    `read` gives the columns of the row of that number by `event.read_event`, or raises.
    """
    suspect = odd | frame.select(_invalid(page_size)).to_series()
    if suspect.any():
        rows = suspect.arg_true()
        again = _frame_of(read(int(row)) for row in rows)
        kept = frame.with_row_index("place").filter(~suspect)
        patched = again.select(rows.cast(kept.schema["place"]).alias("place"), pl.all())
        frame = pl.concat([kept, patched]).sort("place").drop("place")
    return _to_table(frame)


def belongs(field: str, kind: pl.Expr | None = None) -> pl.Expr:
    """Whether a row's kind has `field`."""
    kind = pl.col("kind") if kind is None else kind
    if field in COMMON:
        return kind.is_not_null()
    return kind.is_in([KINDS.index(name) for name in kinds_with(field)])


def _invalid(page_size: int) -> pl.Expr:
    """Whether a row has a value out of range or lacks one."""
    faults = [pl.col("ts").is_null(), pl.col("kind").is_null()]
    for field in _KIND_FIELDS:
        kinds = [KINDS.index(kind) for kind, needed in REQUIRED.items() if field in needed]
        faults.append(pl.col("kind").is_in(kinds) & pl.col(field).is_null())
    for field, (low, high) in INTEGERS.items():
        if field != "ts":
            outside = ~pl.col(field).is_between(pl.lit(low, pl.UInt64), pl.lit(high, pl.UInt64))
            faults.append(belongs(field) & outside)
    most = pl.lit((1 << 64) // page_size, pl.UInt64)
    for field in ADDRESSES:
        last = pl.col(field) // pl.lit(page_size, pl.UInt64) + pl.col("pages")
        faults.append(belongs(field) & ((pl.col("pages") > most) | (last > most)))
    return pl.any_horizontal(fault.fill_null(False) for fault in faults)


def _frame_of(events: Iterable[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        event | {n: NAMES[n].index(event[n]) for n in NAMES if event[n] is not None}
        for event in events
    ]
    return pl.DataFrame(rows, schema=FRAME)


def _to_table(frame: pl.DataFrame) -> pa.Table:
    """Valid rows as table events: no field that the kind doesn't have, defaults in place."""
    defaults = {
        name: NAMES[name].index(value) if name in NAMES else value
        for name, value in DEFAULTS.items()
    }
    frame = frame.with_columns(
        pl.when(belongs(field)).then(
            pl.col(field).fill_null(defaults[field]) if field in defaults else pl.col(field)
        )
        for field in (*_KIND_FIELDS, *COMMON)
    )
    columns: dict[str, Any] = {n: frame[n] for n in EVENTS.names if n not in NAMES}
    columns |= {n: _named(frame[n], NAMES[n]) for n in NAMES}
    return EVENTS.from_columns(columns, len(frame))


def _named(codes: pl.Series, names: tuple[str, ...]) -> pa.Array:
    indices = codes.cast(pl.Int32).to_arrow()
    return pa.DictionaryArray.from_arrays(indices, pa.array(names)).cast(NAME)


def in_time_order(events: pa.Table) -> tuple[pa.Table, int]:
    """The events stably sorted by ts, with `row` set where the log has none; and how many were late.

    An event is late if one before it has a greater ts.
    """
    if events["row"].null_count == len(events):
        place = EVENTS.names.index("row")
        row = pa.array(np.arange(len(events), dtype=np.uint64))
        events = events.set_column(place, events.schema.field(place), row)
    ts = events["ts"].to_numpy()
    late = int(np.count_nonzero(ts < np.maximum.accumulate(ts)))
    return (events.take(np.argsort(ts, kind="stable")) if late else events), late
