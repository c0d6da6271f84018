"""Lengths of time summed up: count, sum, percentiles and maximum, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from spetrace.tables.kvm_summary import Times

_PERCENTILES: Final = {"p50_ns": 50, "p90_ns": 90, "p99_ns": 99}
FIELDS: Final = ("count", "total_ns", *_PERCENTILES, "max_ns")


def times_of(column: str) -> list[pl.Expr]:
    """Aggregations of a column of times, null where a time is not known, under FIELDS.

    A percentile is that of n times sorted which is the ceil(n q / 100)-th.
    """
    times = pl.col(column).drop_nulls()
    last = (times.len().cast(pl.Int64) - 1).clip(lower_bound=0)
    ranked = times.sort()
    return [
        times.len().alias("count"),
        times.sum().alias("total_ns"),
        *(
            ranked.get((times.len().cast(pl.Int64) * q + 99) // 100 - 1, null_on_oob=True).alias(
                name
            )
            for name, q in _PERCENTILES.items()
        ),
        ranked.get(last, null_on_oob=True).alias("max_ns"),
    ]


def times_in(row: Mapping[str, Any]) -> Times:
    """The aggregations of one row."""
    return Times(*(row[field] for field in FIELDS))
