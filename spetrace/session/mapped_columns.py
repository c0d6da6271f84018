"""An event map's columns, computed from the fields of recorded events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.session.event_map import STRUCTURE, MappedEvent, Source
from spetrace.session.event_run import Addresses

Mask = npt.NDArray[np.bool_]
_TOP: Final = (1 << 64) - 1
_HEX: Final = r"^0[xX]([0-9a-fA-F]{1,16})$"
_COUNT: Final = "pages"
"""The column in pages; all others with a unit are in bytes."""


def is_wanted(frame: pl.DataFrame, event: MappedEvent) -> Mask:
    """Which events the map's `where` selects."""
    wanted = np.ones(len(frame), bool)
    for name, values in event.where.items():
        column = frame[name]
        found = np.zeros(len(frame), bool)
        for value in values:
            found |= _equals(column, value, f"{event.place}.where.{name}")
        wanted &= found
    return wanted


def column_values(
    frame: pl.DataFrame, event: MappedEvent, key: str, page_size: int
) -> tuple[Addresses, Mask]:
    """One column of the events, in its own unit, and which of them have it."""
    source = event.columns[key]
    place = f"{event.place}.{key}"
    if source.constant is not None:
        return np.full(len(frame), source.constant, np.uint64), np.ones(len(frame), bool)
    column = frame[source.field]
    if source.values is not None:
        numbers = _meant(column, source.values, place)
    else:
        numbers = _numbers(column, place)
    factor = source.factor * _unit_factor(source, key, page_size)
    known = (numbers.is_not_null() & (numbers <= _TOP // factor)).fill_null(False)
    values = numbers.set(~known, 0).to_numpy() * np.uint64(factor)
    return values, known.to_numpy()


def _unit_factor(source: Source, key: str, page_size: int) -> int:
    return page_size if source.unit == "pages" and key != _COUNT else 1


def _numbers(column: pl.Series, place: str) -> pl.Series:
    """A field as unsigned 64-bit numbers; null where a text is none."""
    if column.dtype.is_unsigned_integer() or column.dtype == pl.Boolean:
        return column.cast(pl.UInt64)
    if column.dtype.is_signed_integer():
        return column.cast(pl.Int64).reinterpret(signed=False)
    if column.dtype == pl.Null:
        return column.cast(pl.UInt64)
    if _is_text(column):
        text = column.cast(pl.String)
        decimal = text.str.to_integer(dtype=pl.UInt64, strict=False)
        digits = text.str.extract(_HEX)
        hexadecimal = digits.str.to_integer(base=16, dtype=pl.UInt64, strict=False)
        return decimal.zip_with(decimal.is_not_null(), hexadecimal)
    raise InputError(STRUCTURE, f"{place}: field {column.name} holds {column.dtype}, no numbers")


def _meant(column: pl.Series, values: Mapping[str, int], place: str) -> pl.Series:
    """A field through a table of values; null for what the table lacks."""
    if _is_text(column):
        text = column.cast(pl.String)
        named = text.replace_strict(dict(values), default=None, return_dtype=pl.UInt64)
        numbered = _replaced(_numbers(column, place), _integers(values))
        return named.zip_with(named.is_not_null(), numbered)
    integers = _integers(values)
    if len(integers) < len(values):
        other = next(key for key in values if not _is_integer(key))
        cause = (
            f"field {column.name} holds numbers, and {other!r} is none: give values = {{0 = ...}}"
        )
        raise InputError(STRUCTURE, f"{place}: {cause}")
    return _replaced(_numbers(column, place), integers)


def _replaced(numbers: pl.Series, values: Mapping[int, int]) -> pl.Series:
    old = pl.Series(list(values), dtype=pl.UInt64)
    new = pl.Series(list(values.values()), dtype=pl.UInt64)
    return numbers.replace_strict(old, new, default=None, return_dtype=pl.UInt64)


def _integers(values: Mapping[str, int]) -> dict[int, int]:
    return {int(key, 0) & _TOP: value for key, value in values.items() if _is_integer(key)}


def _is_integer(text: str) -> bool:
    try:
        return -(1 << 63) <= int(text, 0) <= _TOP
    except ValueError:
        return False


def _equals(column: pl.Series, value: int | str, place: str) -> Mask:
    if isinstance(value, str):
        if not _is_text(column):
            cause = f"field {column.name} holds {column.dtype}, no text"
            raise InputError(STRUCTURE, f"{place}: {cause}")
        return (column.cast(pl.String) == value).fill_null(False).to_numpy()
    return (_numbers(column, place) == (value & _TOP)).fill_null(False).to_numpy()


def _is_text(column: pl.Series) -> bool:
    return column.dtype in (pl.String, pl.Categorical) or isinstance(column.dtype, pl.Enum)
