"""The most frequent instructions and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from spetrace.tables.profiles import PLACE_COUNTS

_COUNTS: Final = [column.name for column in PLACE_COUNTS]


@dataclass(frozen=True)
class Ranking:
    """The first rows of a ranking, and how many there are in all."""

    rows: pl.DataFrame
    distinct: int


def rank_pcs(places: pl.DataFrame, top: int) -> Ranking:
    """Table profile_pcs: the `top` most frequent instructions, then the `top` most mispredicted.

    Instructions of a file are one whatever address processes have it at.
    """
    mapped = pl.col("file").is_not_null()
    alone = [pl.when(~mapped).then(name).alias(f"own_{name}") for name in ("pc", "pid")]
    keys = ["file", "offset", "own_pc", "own_pid"]
    merged = places.with_columns(alone).group_by(keys).agg(
        *(pl.col(name).sum() for name in _COUNTS),
        *(_if_one(name) for name in ("pc", "pid")),
        pl.col("path", "symbol", "symbol_offset").first(),
    )  # fmt: skip
    order = ["samples", "path", "offset", "pc", "pid"]
    ordered = merged.sort(order, descending=[name == "samples" for name in order])
    frequent = ordered.head(top)
    others = ordered.slice(top).filter(pl.col("mispredicted") > 0)
    rows = pl.concat(
        [frequent, others.sort("mispredicted", descending=True, maintain_order=True).head(top)]
    )
    return Ranking(
        rows.with_columns(pl.when(pl.col("pid") >= 0).then("pid").alias("pid"))
        .drop("file")
        .rename({"path": "file", "offset": "file_offset"}),
        len(merged),
    )


def rank_functions(places: pl.DataFrame, top: int) -> Ranking:
    """Table profile_functions: the `top` most frequent functions."""
    merged = places.group_by("symbol", "path").agg(pl.col(name).sum() for name in _COUNTS)
    ordered = merged.sort("samples", "symbol", "path", descending=[True, False, False])
    return Ranking(ordered.head(top).rename({"path": "file"}), len(merged))


def _if_one(name: str) -> pl.Expr:
    """The value that all rows of the group have; null where they differ."""
    return pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name)
