"""Events of no known print format whose text is a list of name=value: kprobes and most others.

A probe's text begins with its place in brackets: `(symbol+0x0/0x100)`, from trace-cmd an address.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from spetrace.ingest.event_text.print_format import column_name

_MOST_EVENTS = 256
_MOST_KEYS = 64
_SEPARATOR = r"[\s,\[\]()]"
_KEY = rf"(?:^|{_SEPARATOR})([A-Za-z_]\w*)="
_PLACE = r"^\(([^()]*)\) "
_ADDRESS = r"^([0-9a-f]{16})$"
_HEX = r"^(?:0x([0-9a-f]{1,16})(?: \(-?[0-9]+)?|(0)|([0-9a-f]{16}))$"
"""Also as trace_option fields prints it: `0x4f60 (20320)`, its last bracket taken for a separator."""

_U32 = {"slot": pl.UInt32, "flags": pl.UInt32, "prot": pl.UInt32}
WIDTHS = dict.fromkeys(("memslot", "s2_map", "s2_relax"), _U32)
"""Types of the recommended probes' fields that a text doesn't tell."""


def read_key_values(events: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """By name the events that hold name=value, with these as columns in place of `event`, `text`.

    A name that the columns have already gets "_f" appended. A column is Int64 where all its values are decimal, UInt64 where all are hexadecimal, else
    String. At most 256 kinds of events (the most frequent) and 64 names in each are read.
    """
    listed = events.filter(pl.col("text").str.contains(_KEY))
    counts = (
        listed["event"].value_counts(sort=True).sort("count", "event", descending=[True, False])
    )
    return {
        name: _read(listed.filter(pl.col("event") == name).drop("event"), WIDTHS.get(name, {}))
        for name in counts["event"].head(_MOST_EVENTS)
    }


def _read(events: pl.DataFrame, types: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    texts = events["text"]
    frame = events.drop("text")
    place = _place(texts)
    if place is not None:
        frame = frame.with_columns(place)
    for key in _keys(texts):
        values = texts.str.extract(_value_of(key)).alias(column_name(key, frame.columns))
        frame = frame.with_columns(_column(values, types.get(key)))
    return frame


def _keys(texts: pl.Series) -> list[str]:
    found = texts.str.extract_all(_KEY).explode().drop_nulls().str.extract(_KEY)
    return found.unique(maintain_order=True).head(_MOST_KEYS).to_list()


def _value_of(key: str) -> str:
    """Up to the next name=, without the separators around it."""
    return rf"(?:^|{_SEPARATOR}){key}=\s*(.*?){_SEPARATOR}*(?:==>\s*)?(?:{_SEPARATOR}\w+=|$)"


def _place(texts: pl.Series) -> pl.Series | None:
    place = texts.str.extract(_PLACE)
    if place.null_count() == len(place):
        return None
    address = place.str.extract(_ADDRESS).str.to_integer(base=16, dtype=pl.UInt64, strict=False)
    return address.alias("__probe_ip")


def _column(values: pl.Series, type_: type[pl.DataType] | None) -> pl.Series:
    column = _typed(values)
    if type_ is not None and column.dtype.is_integer():
        return column.cast(type_, strict=False)
    return column


def _typed(values: pl.Series) -> pl.Series:
    decimal = values.str.to_integer(dtype=pl.Int64, strict=False)
    if decimal.null_count() == values.null_count():
        return decimal
    digits = values.to_frame("v").select(pl.col("v").str.extract_groups(_HEX).struct.unnest())
    text = digits.select(pl.coalesce(pl.all())).to_series()
    if text.null_count() == values.null_count():
        return text.str.to_integer(base=16, dtype=pl.UInt64).alias(values.name)
    return values
