"""What lies at an address in every process that has anything there.

For samples whose process is not known, or known and without mappings (a fork of one that has them).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.profile.timed_lookup import Int64s

_CONTENT = ("source", "path", "build_id", "bias")


def find_shared(
    mappings: pl.DataFrame, sources: Int64s, addresses: npt.NDArray[np.uint64]
) -> Int64s:
    """Row of `mappings` whose file all processes of the input have at the address.

    -1 where there is none, or where processes have different files (or parts of them) there. Time
    is not looked at.
    """
    found = np.full(len(addresses), -1, np.int64)
    for source in np.unique(sources).tolist():
        asked = np.flatnonzero(sources == source)
        ranges = _merged(mappings.with_row_index("row").filter(pl.col("source") == source))
        found[asked] = _alone(ranges, addresses[asked])
    return found


def _merged(mappings: pl.DataFrame) -> pl.DataFrame:
    """`row`, `start`, `end`: ranges of one content that do not overlap each other."""
    room = pl.lit((1 << 64) - 1, pl.UInt64) - pl.col("start")
    ranges = (
        mappings.filter(pl.col("pid").is_not_null())
        .with_columns(
            (pl.col("start") + pl.min_horizontal("size_bytes", room)).alias("end"),
            (pl.col("start").cast(pl.Int128) - pl.col("file_offset").cast(pl.Int128)).alias("bias"),
        )
        .with_columns(pl.struct(_CONTENT).rank("dense").alias("content"))
        .sort("content", "start", "row")
        .with_columns(pl.col("end").cum_max().shift(1).over("content").alias("reached"))
    )
    begins = (pl.col("reached").is_null() | (pl.col("reached") < pl.col("start"))).cum_sum()
    return ranges.group_by(begins.alias("run")).agg(
        pl.col("row").min(), pl.col("start").min(), pl.col("end").max()
    )


def _alone(ranges: pl.DataFrame, addresses: npt.NDArray[np.uint64]) -> Int64s:
    """`row` of the one range that holds each address; -1 where it is none or several."""
    rows = ranges["row"].cast(pl.Int64).to_numpy()
    bounds = np.concatenate((ranges["start"].to_numpy(), ranges["end"].to_numpy()))
    if not len(bounds):
        return np.full(len(addresses), -1, np.int64)
    order = np.argsort(bounds, kind="stable")
    covered = np.cumsum(np.repeat([1, -1], len(rows))[order])
    row = np.cumsum(np.concatenate((rows, -rows))[order])
    at = np.searchsorted(bounds[order], addresses, "right") - 1
    return np.where((at >= 0) & (covered[at] == 1), row[at], -1)
