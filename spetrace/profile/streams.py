"""What each AUX stream recorded, and what it could not: its samples over time and its gaps."""

from __future__ import annotations

import polars as pl

from spetrace.profile.detail import Detail
from spetrace.profile.survey import STREAM


def cpu_table(streams: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Table profile_cpus; a stream without a sample is there if it has a gap."""
    length = pl.col("end_ns") - pl.col("start_ns")
    lost = pl.col("records_lost_estimate")
    by_stream = gaps.group_by(STREAM).agg(
        pl.len().cast(pl.UInt64).alias("gaps"),
        length.sum().alias("gap_ns"),
        pl.when(lost.count() > 0).then(lost.sum()).alias("records_lost_estimate"),
    )
    joined = streams.join(by_stream, on=STREAM, how="full", coalesce=True, nulls_equal=True)
    return joined.with_columns(pl.col("samples", "gaps", "gap_ns").fill_null(0)).sort(STREAM)


def rate_table(counted: Detail) -> pl.DataFrame:
    """Table profile_rates."""
    bins = counted.rate_bins
    if bins is None:
        return counted.rates.drop("bin").with_columns(start_ns=None, end_ns=None).clear()
    start = pl.col("bin") * bins.length + bins.start
    return counted.rates.sort(*STREAM, "bin").with_columns(
        start.alias("start_ns"), (start + bins.length).alias("end_ns")
    )
