"""How many records of each operation have which event."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from spetrace.arm.events import EVENTS_BITS, names_by_bit
from spetrace.profile.latencies import operation_name


def event_table(counts: pl.DataFrame, midrs: Sequence[int | None]) -> pl.DataFrame:
    """Table profile_events, of counts by `model`, `op` and `events`; in the order of the bits."""
    per_bit = counts.group_by("model", "op").agg(
        pl.col("samples")
        .filter(pl.col("events") & pl.lit(1 << bit, pl.UInt64) != 0)
        .sum()
        .alias(str(bit))
        for bit in range(EVENTS_BITS)
    )
    rows = per_bit.unpivot(index=["model", "op"], variable_name="bit", value_name="samples")
    rows = rows.filter(pl.col("samples") > 0).with_columns(pl.col("bit").cast(pl.UInt8))
    named = rows.join(_names(midrs), on=["model", "bit"], how="left").with_columns(operation_name())
    whole = counts.with_columns(operation_name()).group_by("operation").agg(
        pl.col("samples").sum().alias("operation_samples")
    )  # fmt: skip
    return (
        named.group_by("op", "operation", "event")
        .agg(pl.col("samples").sum(), pl.col("bit").min())
        .join(whole, on="operation", how="left", nulls_equal=True)
        .sort("op", "bit", "event", nulls_last=True)
    )


def _names(midrs: Sequence[int | None]) -> pl.DataFrame:
    rows = [
        (model, bit, name)
        for model, midr in enumerate(midrs)
        for bit, name in names_by_bit(midr).items()
    ]
    schema = {"model": pl.UInt8, "bit": pl.UInt8, "event": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")
