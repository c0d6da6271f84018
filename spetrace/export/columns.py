"""Columns of our tables as the columns of marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from spetrace.export.tracks import NEVER, Annotation, Form, Kind, Marks, Places, Times, Track

UNNAMED: Final = "unknown"
ROW: Final = "row"
"""The annotation that tells the row of the table which a mark was made from."""


def marks_of(
    frame: pl.DataFrame,
    kind: Kind,
    category: str,
    keys: Sequence[str],
    track_of: Callable[..., Track],
    *,
    start: str,
    end: str | None = None,
    name: pl.Expr | None = None,
    value: str | None = None,
    details: dict[str, Form] | None = None,
) -> Marks:
    """A mark for each row of `frame`, whose `start` is not null.

    `track_of` takes the values of `keys`. A null `end` is never; a counter's value holds until its
    track's next row. `details` are the columns to annotate with.
    """
    tracks, track = _tracks(frame, keys, track_of)
    starts = frame[start].to_numpy()
    names, place = (
        encode_names(frame.with_columns(name.alias("name"))["name"])
        if name is not None
        else ((), None)
    )
    return Marks(
        kind,
        category,
        tracks,
        track,
        starts,
        _ends(frame, kind, keys, starts, start, end),
        names,
        np.zeros(0, np.int64) if place is None else place,
        np.zeros(0, np.int64) if value is None else frame[value].to_numpy(),
        {column: annotation(frame[column], form) for column, form in (details or {}).items()},
    )


def timed(frame: pl.DataFrame, *times: str) -> pl.DataFrame:
    """The rows that have the first of the times, with their number in the table as `row`."""
    numbered = frame.with_row_index(ROW) if ROW not in frame.columns else frame
    return numbered.filter(pl.col(times[0]).is_not_null()).sort(times, maintain_order=True)


def encode_names(names: pl.Series) -> tuple[tuple[str, ...], Places]:
    """The different names, and the index of each row's."""
    codes = names.cast(pl.String).fill_null(UNNAMED).to_arrow().dictionary_encode()
    return tuple(codes.dictionary.to_pylist()), codes.indices.to_numpy().astype(np.int64)


def annotation(column: pl.Series, form: Form) -> Annotation:
    """A column of integers or bools as an annotation, nulls as absent."""
    absent: Any = False if column.dtype == pl.Boolean else 0
    return Annotation(form, column.fill_null(absent).to_numpy(), column.is_not_null().to_numpy())


def _tracks(
    frame: pl.DataFrame, keys: Sequence[str], track_of: Callable[..., Track]
) -> tuple[tuple[Track, ...], Places]:
    found = frame.select(keys).unique(maintain_order=True).with_row_index("track")
    tracks = tuple(track_of(*row[1:]) for row in found.iter_rows())
    joined = frame.select(keys).join(
        found, on=list(keys), how="left", nulls_equal=True, maintain_order="left"
    )
    return tracks, joined["track"].to_numpy().astype(np.int64)


def _ends(
    frame: pl.DataFrame, kind: Kind, keys: Sequence[str], starts: Times, start: str, end: str | None
) -> Times:
    if kind is Kind.INSTANT:
        return starts
    until = pl.col(start).shift(-1).over(keys) if end is None else pl.col(end)
    return frame.select(until.fill_null(NEVER)).to_series().to_numpy()
