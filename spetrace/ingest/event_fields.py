"""The fields of many records of one tracepoint as columns.

Where the records came from (ring-buffer pages, perf samples) makes no difference: they are given as
places in one array of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.ingest.event_format import EventField
from spetrace.ingest.field_kernels import (
    cut_at_nul,
    gather_bytes,
    gather_integers,
    gather_items,
    locate_dynamic,
)
from spetrace.ingest.field_type import FieldKind, FieldType, Place

_INTEGERS = (FieldKind.INTEGER, FieldKind.BOOL)
_BLOCK_RECORDS = 1 << 13


class Records(NamedTuple):
    """Records of one tracepoint: `offsets` (int64) and `lengths` (uint32) in `data` (uint8).

    Every record must lie inside `data`.
    """

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.uint32]
    big_endian: bool


class _Extents(NamedTuple):
    """Where a field's bytes are, per record; size -1 where the record does not hold them."""

    starts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    damaged: int


class Decoded(NamedTuple):
    """A field's values, null where the record does not hold them, and how many those are."""

    values: pl.Series
    damaged: int


def decode_fields(records: Records, fields: Sequence[EventField]) -> list[Decoded]:
    """The values of `fields` of all records, in the order of `fields`."""
    integers = [f for f in fields if f.type.kind in _INTEGERS]
    found = dict(zip(integers, _decode_integers(records, integers), strict=True))
    return [found[f] if f in found else _decode_other(records, f) for f in fields]


def _decode_integers(records: Records, fields: Sequence[EventField]) -> list[Decoded]:
    """All integer fields together, block by block, so that a record is fetched from memory once."""
    columns = [np.empty(len(records.offsets), _unsigned_type(f.type)) for f in fields]
    short = [0] * len(fields)
    for start in range(0, len(records.offsets), _BLOCK_RECORDS):
        block = slice(start, start + _BLOCK_RECORDS)
        offsets, lengths = records.offsets[block], records.lengths[block]
        for i, field in enumerate(fields):
            short[i] += gather_integers(
                records.data,
                offsets,
                lengths,
                field.offset,
                field.type.item_bytes,
                field.type.signed,
                records.big_endian,
                columns[i][block],
            )
    return [
        _integer_series(records, field, column, count)
        for field, column, count in zip(fields, columns, short, strict=True)
    ]


def _integer_series(
    records: Records, field: EventField, column: npt.NDArray[Any], short: int
) -> Decoded:
    values = pl.Series(field.name, column.view(_integer_type(field.type)))
    if field.type.kind is FieldKind.BOOL:
        values = values != 0
    if short:
        held = pl.Series(records.lengths >= field.end)
        values = values.set(~held, None)
    return Decoded(values, short)


def _decode_other(records: Records, field: EventField) -> Decoded:
    extents = _locate(records, field)
    if field.type.kind is FieldKind.STRING:
        cut_at_nul(records.data, extents.starts, extents.sizes)
        array = _strings(_binary(records, extents))
    elif field.type.kind is FieldKind.LIST:
        array = _lists(records, extents, field.type)
    else:
        array = _binary(records, extents)
    return Decoded(pl.Series(field.name, pl.from_arrow(array)), extents.damaged)


def _unsigned_type(type_: FieldType) -> np.dtype[np.generic]:
    """What the kernels write, signed or not: each type more takes time to compile."""
    return np.dtype(f"u{8 if type_.widen else type_.item_bytes}")


def _integer_type(type_: FieldType) -> np.dtype[np.generic]:
    return np.dtype(f"{'i' if type_.signed else 'u'}{8 if type_.widen else type_.item_bytes}")


def _locate(records: Records, field: EventField) -> _Extents:
    place = field.type.place
    if place in (Place.DATA_LOC, Place.REL_LOC):
        starts = np.empty(len(records.offsets), np.int64)
        sizes = np.empty(len(records.offsets), np.int64)
        damaged = locate_dynamic(
            records.data,
            records.offsets,
            records.lengths,
            field.offset,
            place is Place.REL_LOC,
            records.big_endian,
            starts,
            sizes,
        )
        return _Extents(starts, sizes, damaged)
    starts = records.offsets + field.offset
    held = records.lengths >= field.end
    if place is Place.REST:
        sizes = np.where(held, records.lengths.astype(np.int64) - field.offset, -1)
    else:
        sizes = np.where(held, np.int64(field.size), np.int64(-1))
    return _Extents(starts, sizes, int(len(held) - np.count_nonzero(held)))


def _ends(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.maximum(counts, 0), out=ends[1:])
    return ends


def _absent(extents: _Extents) -> pa.Array | None:
    return pa.array(extents.sizes < 0) if extents.damaged else None


def _binary(records: Records, extents: _Extents) -> pa.Array:
    ends = _ends(extents.sizes)
    out = np.empty(ends[-1], np.uint8)
    gather_bytes(records.data, extents.starts, ends, out)
    valid = pa.array(extents.sizes >= 0).buffers()[1] if extents.damaged else None
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(out)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(extents.sizes), buffers)


def _strings(values: pa.Array) -> pa.Array:
    """Bytes as text; what is not UTF-8 in them becomes U+FFFD."""
    try:
        return values.cast(pa.large_string())
    except pa.ArrowInvalid:
        encoded = values.dictionary_encode()
        texts = [value.decode("utf-8", "replace") for value in encoded.dictionary.to_pylist()]
        return pa.array(texts, pa.large_string()).take(encoded.indices)


def _lists(records: Records, extents: _Extents, type_: FieldType) -> pa.Array:
    ends = _ends(extents.sizes // type_.item_bytes)
    out = np.empty(ends[-1], _unsigned_type(type_))
    gather_items(
        records.data,
        extents.starts,
        ends,
        type_.item_bytes,
        type_.signed,
        records.big_endian,
        out,
    )
    items = pa.array(out.view(_integer_type(type_)))
    return pa.LargeListArray.from_arrays(pa.array(ends), items, mask=_absent(extents))
