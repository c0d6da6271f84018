"""Events of no known print format whose text is a list of name=value: kprobes and most others.

A probe's text begins with its place in brackets: `(symbol+0x0/0x100)`, from trace-cmd and perf an
address. A column is Int64 where all its values are decimal, UInt64 where all are hexadecimal, else
String; hexadecimal are `0x1f`, `0x1f (31)` as trace_option fields prints it, `0` and 16 digits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.event_text.chunks import Bytes, Places
from spetrace.ingest.event_text.columns import column
from spetrace.ingest.event_text.key_kernel import (
    IS_DECIMAL,
    IS_HEXADECIMAL,
    MOST_KEYS,
    find_keys,
    read_keys,
    read_numbers,
    read_places,
)
from spetrace.ingest.event_text.strings import string_series

PLACE = "__probe_ip"
FORMS: Mapping[str, pl.DataType] = {
    "decimal": pl.Int64(), "hexadecimal": pl.UInt64(), "text": pl.String(),
}  # fmt: skip
"""As what values are read, and the type that makes; the first that all of a name's can be counts."""


@dataclass
class Values:
    """The values of one name in one chunk: as the numbers that all of them can be, else as text."""

    count: int
    decimal: pl.Series | None = None
    hexadecimal: pl.Series | None = None
    text: pl.Series | None = None

    @property
    def is_absent(self) -> bool:
        """Whether no event of the chunk has the name."""
        return self.decimal is None and self.hexadecimal is None and self.text is None


@dataclass
class Pairs:
    """The name=value pairs of one kind of event in one chunk, and the places of its probe."""

    count: int
    place: pl.Series | None
    values: dict[str, Values]


def find_pairs(
    data: Bytes, starts: Places, ends: Places
) -> tuple[list[str], npt.NDArray[np.bool_], tuple[Places, Places]]:
    """The names in the texts data[start:end], which texts have any, and where a name stands."""
    firsts, lasts = np.zeros(MOST_KEYS, np.int64), np.zeros(MOST_KEYS, np.int64)
    found = np.zeros(len(starts), np.bool_)
    count = find_keys(data, starts, ends, firsts, lasts, found)
    places = firsts[:count], lasts[:count]
    names = [bytes(data[a:b]).decode() for a, b in zip(*(p.tolist() for p in places), strict=True)]
    return names, found, places


def read_pairs(
    data: Bytes, starts: Places, ends: Places, has_ip: bool, as_text: Collection[str]
) -> tuple[Pairs, npt.NDArray[np.bool_]]:
    """The pairs of those of the texts data[start:end] that have any, and which have.

    At most 64 names are read. The values of those in `as_text` are kept as text. `has_ip`: perf
    script's texts, behind which it may print addresses.
    """
    names, found, (firsts, lasts) = find_pairs(data, starts, ends)
    starts, ends = starts[found], ends[found]
    at = np.full((len(names), len(starts)), -1, np.int64)
    to = at.copy()
    read_keys(data, starts, ends, firsts, lasts, has_ip, at, to)
    values = {
        name: _text(data, at[k], to[k]) if name in as_text else _values(data, at[k], to[k])
        for k, name in enumerate(names)
    }
    return Pairs(len(starts), _place(data, starts, ends), values), found


def _values(data: Bytes, starts: Places, ends: Places) -> Values:
    decimals, hexadecimals = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.uint64)
    kinds = read_numbers(data, starts, ends, decimals, hexadecimals)
    if not kinds:
        return _text(data, starts, ends)
    valid = ends >= 0
    return Values(
        len(starts),
        decimal=column(decimals, valid, pl.Int64()) if kinds & IS_DECIMAL else None,
        hexadecimal=column(hexadecimals, valid, pl.UInt64()) if kinds & IS_HEXADECIMAL else None,
    )


def _text(data: Bytes, starts: Places, ends: Places) -> Values:
    return Values(len(starts), text=string_series(data, starts, ends))


def _place(data: Bytes, starts: Places, ends: Places) -> pl.Series | None:
    addresses, known = np.zeros(len(starts), np.uint64), np.zeros(len(starts), np.bool_)
    if not read_places(data, starts, ends, addresses, known):
        return None
    return column(addresses, known, pl.UInt64())
