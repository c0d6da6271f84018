"""Arrow columns of any fitting type as the frame of `columns`, with the rows that don't fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from spetrace.errors import InputError
from spetrace.ingest.event_log.columns import FRAME, belongs
from spetrace.ingest.event_log.fields import NAMES

_HEX = r"^0[xX]0*([0-9a-fA-F]{1,16})$"


def frame_of(batch: pa.RecordBatch) -> tuple[pl.DataFrame, pl.Series]:
    """The batch's known columns (null where it lacks one), and which rows hold a value that doesn't
    fit its column.

    Raises InputError for a column of a type that can't hold such values.
    """
    columns, odd = {}, {}
    for name, type_ in FRAME.items():
        if name in batch.schema.names:
            columns[name], odd[name] = _converted(name, batch[name])
        else:
            columns[name] = pl.Series(name, [None], type_).new_from_index(0, len(batch))
    frame = pl.DataFrame(columns, schema=FRAME)
    unfit = pl.DataFrame(odd, height=len(batch)).with_columns(frame["kind"].alias("of"))
    needed = ("ts", "kind")
    return frame, unfit.select(
        pl.any_horizontal(
            pl.col(n) if n in needed else pl.col(n) & belongs(n, pl.col("of")) for n in odd
        )
    ).to_series()


def _converted(name: str, array: pa.Array) -> tuple[pl.Series, pl.Series]:
    """The column as `FRAME` types it, and where it has a value that doesn't fit."""
    if name == "tables":
        return _lists(array)
    convert = _codes if name in NAMES else _flags if name == "writable" else _integers
    values = _through_dictionary(lambda values: convert(name, values), array)
    lost = pc.and_(pc.is_valid(array), pc.is_null(values))
    return pl.Series(name, values), pl.Series(lost)


def _through_dictionary(convert: Callable[[pa.Array], pa.Array], array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        return convert(array.dictionary).take(array.indices)
    return convert(array)


def _integers(name: str, array: pa.Array) -> pa.Array:
    type_ = FRAME[name] if name in FRAME and name != "tables" else pl.UInt64()
    if pa.types.is_integer(array.type) or pa.types.is_null(array.type):
        return pl.Series(array).cast(type_, strict=False).to_arrow()
    if not _is_text(array.type):
        raise _unfit(name, array.type, 'neither integers nor strings "0x..."')
    digits = pl.Series(array).cast(pl.String).str.extract(_HEX)
    numbers = digits.str.to_integer(base=16, dtype=pl.UInt64, strict=False)
    return numbers.cast(type_, strict=False).to_arrow()


def _codes(name: str, array: pa.Array) -> pa.Array:
    if not _is_text(array.type) and not pa.types.is_null(array.type):
        raise _unfit(name, array.type, "not strings")
    codes = {text: code for code, text in enumerate(NAMES[name])}
    texts = pl.Series(array).cast(pl.String)
    return texts.replace_strict(codes, default=None, return_dtype=pl.UInt8).to_arrow()


def _flags(name: str, array: pa.Array) -> pa.Array:
    if not pa.types.is_boolean(array.type) and not pa.types.is_null(array.type):
        raise _unfit(name, array.type, "not booleans")
    return array.cast(pa.bool_())


def _lists(array: pa.Array) -> tuple[pl.Series, pl.Series]:
    if pa.types.is_null(array.type):
        array = array.cast(pa.list_(pa.uint64()))
    type_ = array.type
    if pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        array = array.cast(pa.list_(type_.value_type))
    elif not pa.types.is_list(type_):
        raise _unfit("tables", type_, "not lists")
    elements = array.flatten()
    numbers = _through_dictionary(lambda values: _integers("tables", values), elements)
    odd = np.zeros(len(array), np.bool_)
    odd[pc.list_parent_indices(array).filter(pc.is_null(numbers)).to_numpy()] = True
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(pc.list_value_length(array).fill_null(0), out=offsets[1:])
    lists = pa.ListArray.from_arrays(offsets, numbers, mask=array.is_null())
    return pl.Series("tables", lists), pl.Series(odd)


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
    )


def _unfit(name: str, type_: pa.DataType, what: str) -> InputError:
    return InputError("event log", f"column {name} is of type {type_}, {what}")
