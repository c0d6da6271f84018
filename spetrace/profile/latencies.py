"""Latency percentiles, out of exact counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from spetrace.arm.data_source import TABLES, data_source_name
from spetrace.profile.samples import OPERATIONS

PERCENTILES: Final = (50, 90, 99)
_COUNT: Final = pl.col("samples")


def percentiles(counts: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Per `keys` samples, mean, percentiles and maximum of `cycles`, exactly, by nearest rank.

    The p-th percentile is the smallest value that at least p percent of the samples don't exceed.
    """
    known = counts.drop_nulls("cycles").group_by(*keys, "cycles").agg(_COUNT.sum())
    below = known.sort("cycles").with_columns(
        _COUNT.cum_sum().over(keys).alias("reached"), _COUNT.sum().over(keys).alias("whole")
    )
    return below.group_by(keys).agg(
        _COUNT.sum(),
        ((pl.col("cycles").cast(pl.Float64) * _COUNT).sum() / _COUNT.sum()).alias("mean_cycles"),
        *(
            pl.col("cycles")
            .filter(pl.col("reached") * 100 >= pl.col("whole") * p)
            .min()
            .alias(f"p{p}_cycles")
            for p in PERCENTILES
        ),
        pl.col("cycles").max().alias("max_cycles"),
    )


def named_counts(counts: pl.DataFrame, midrs: Sequence[int | None]) -> pl.DataFrame:
    """Counts of packed_latencies.unpack with `operation` and `data_source` by name.

    A value without a name is its hexadecimal number.
    """
    sources = counts.select("model", "data_source").unique()
    named = sources.with_columns(
        pl.Series(
            "name",
            [_source_name(value, midrs[model]) for model, value in sources.iter_rows()],
            dtype=pl.String,
        )
    )
    return (
        counts.join(named, on=["model", "data_source"], how="left", nulls_equal=True)
        .with_columns(operation_name())
        .drop("data_source", "op", "model")
        .rename({"name": "data_source"})
    )


def _source_name(value: int | None, midr: int | None) -> str | None:
    return None if value is None else data_source_name(value, midr) or f"{value:#x}"


def operation_name() -> pl.Expr:
    """The operation by its code in `op`."""
    codes = pl.Series(list(range(len(OPERATIONS))), dtype=pl.UInt8)
    names = pl.Series(list(OPERATIONS), dtype=pl.String)
    named = pl.col("op").replace_strict(codes, names, default=None, return_dtype=pl.String)
    return named.alias("operation")


def latency_table(counts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Table profile_latencies, of named counts per counter."""
    groups = {
        "operation": ["operation"],
        "data_source": ["operation", "data_source"],
        "tlb": ["operation", "tlb"],
    }
    parts = []
    for counter, rows in counts.items():
        for group, keys in groups.items():
            told = rows.drop_nulls("tlb") if group == "tlb" else rows
            named = pl.lit(group).alias("group"), pl.lit(counter).alias("counter")
            parts.append(percentiles(told, keys).with_columns(named).rename(_TLB, strict=False))
    order = pl.col("operation").replace_strict(_ORDER, default=len(_ORDER), return_dtype=pl.Int32)
    group_order = pl.col("group").replace_strict(list(groups), list(range(len(groups))))
    counter_order = pl.col("counter").replace_strict(list(counts), list(range(len(counts))))
    source_order = pl.col("data_source").replace_strict(_SOURCE_ORDER, default=len(_SOURCE_ORDER))
    return pl.concat(parts, how="diagonal").sort(
        group_order, counter_order, order, source_order, "data_source", "tlb_walk"
    )


_TLB: Final = {"tlb": "tlb_walk"}
_ORDER: Final = {"load": 0, "store": 1, "branch": 2, "other": 3}
_LEVELS: Final = {"L1": 0, "L2": 1, "L3": 2, "ANY-CACHE": 3, "RAM": 4, "IO": 5, None: 6}
_SOURCE_ORDER: Final = {
    name: place
    for place, name in enumerate(
        dict.fromkeys(
            source.name
            for source in sorted(
                (s for table in TABLES.values() for s in table.values()),
                key=lambda s: (s.remote, _LEVELS[s.level]),
            )
        )
    )
}
"""Data sources from near to far."""
