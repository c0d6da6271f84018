"""The events of a log that can change what happens to records: all but those of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.replay.log_columns import CODE, Kinds, codes_of
from spetrace.tables.events import CAUSES, KINDS, REGISTERS

_CHUNK: Final = 1 << 16
_STREAMED: Final = [CODE[kind] for kind in ("eret", "exception", "spe_record")]
_IS_ITEM: Final = ~np.isin(np.arange(len(KINDS)), _STREAMED)
_NAMES: Final = {"kind": KINDS, "reg": REGISTERS, "cause": CAUSES}

SCHEMA: Final = pl.Schema(
    [
        ("place", pl.UInt32), ("ts", pl.Int64), ("vm", pl.UInt16), ("vcpu", pl.UInt16),
        ("kind", pl.UInt8), ("reg", pl.UInt8), ("value", pl.UInt64), ("va", pl.UInt64),
        ("ipa", pl.UInt64), ("pages", pl.UInt64), ("tables", pl.List(pl.UInt64)),
        ("writable", pl.Boolean), ("cause", pl.UInt8),
    ]
)  # fmt: skip
"""A frame of items: names are numbers in their lists."""


class Item(NamedTuple):
    """One event that can change what happens to records."""

    place: int
    """In its window."""
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


def items_of(batch: pa.RecordBatch, kinds: Kinds, place: int) -> pl.DataFrame:
    """The items of a batch of events whose first one is at `place` of the window."""
    at = np.flatnonzero(_IS_ITEM[kinds])
    if not len(at):
        return SCHEMA.to_frame()
    names = [name for name in SCHEMA.names() if name != "place"]
    taken = batch.select(names).take(pa.array(at))
    columns = dict(zip(names, taken.columns, strict=True))
    columns |= {name: codes_of(columns[name], known) for name, known in _NAMES.items()}
    return pl.DataFrame({"place": at + place, **columns}, schema_overrides=SCHEMA).select(
        SCHEMA.names()
    )


def iter_items(frame: pl.DataFrame, near: npt.NDArray[np.bool_]) -> Iterator[Item]:
    """The rows of a frame of items, with what `near` says of each."""
    names = {name: pl.Series(known) for name, known in _NAMES.items()}
    frame = frame.with_columns(pl.Series("near", near))
    for chunk in frame.iter_slices(_CHUNK):
        told = [known.gather(chunk[name]).alias(name) for name, known in names.items()]
        yield from map(Item._make, chunk.with_columns(told).iter_rows())
