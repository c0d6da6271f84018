"""The most frequent data pages."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.profile.address_spaces import AddressSpaces
from spetrace.profile.detail import Detail
from spetrace.profile.latencies import PERCENTILES, named_counts, percentiles
from spetrace.profile.samples import PAGE_BITS
from spetrace.profile.survey import Survey

_KEYS: Final = ["owner", "page"]
_KINDS: Final = ("samples", "loads", "stores", "tlb_walks", "l1d_refills")


def most_frequent(pages: pl.DataFrame, owner: str, top: int) -> pl.DataFrame:
    """The `top` pages as `owner` (space or input) and `page`."""
    ordered = pages.sort("samples", owner, "page", descending=[True, False, False])
    return ordered.head(top).select(pl.col(owner).cast(pl.Int64).alias("owner"), "page")


def page_table(
    top: pl.DataFrame, counted: Detail, surveyed: Survey, spaces: AddressSpaces, *, physical: bool
) -> pl.DataFrame:
    """Table profile_pages, of the pages `top` in their order."""
    kinds = counted.pages.group_by(_KEYS).agg(pl.col(kind).sum() for kind in _KINDS)
    latency = percentiles(counted.pages, _KEYS).rename({"samples": "latency_samples"})
    names = {f"p{p}_cycles": f"latency_p{p}_cycles" for p in PERCENTILES}
    joined = (
        top.join(kinds, on=_KEYS, how="left", maintain_order="left")
        .join(latency.rename(names), on=_KEYS, how="left", maintain_order="left")
        .join(_data_sources(counted.pages, surveyed), on=_KEYS, how="left", maintain_order="left")
    )
    owners = joined["owner"].to_numpy()
    pages = joined["page"].to_numpy()
    pids = np.full(len(owners), -1) if physical else spaces.pids[owners]
    pid = pl.Series("pid", pids)
    return joined.with_columns(
        (pl.col("page") * (1 << PAGE_BITS)).alias("address"),
        pl.lit(physical).alias("physical"),
        pl.when(pid >= 0).then(pid).alias("pid"),
        pl.col("latency_samples").fill_null(0),
        (_no_names(joined) if physical else _mapped(owners, pages, spaces)).alias("mapping"),
    )


def _data_sources(pages: pl.DataFrame, surveyed: Survey) -> pl.DataFrame:
    """Per page its records by data source, the most frequent first."""
    coded = pages.with_columns(pl.lit(None, pl.UInt8).alias("op"))
    named = named_counts(coded, surveyed.midrs)
    sums = named.group_by(*_KEYS, "data_source").agg(pl.col("samples").sum())
    ordered = sums.sort("samples", "data_source", descending=[True, False])
    mix = pl.struct("data_source", "samples").alias("data_sources")
    return ordered.group_by(_KEYS, maintain_order=True).agg(mix)


def _no_names(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([None] * len(frame), dtype=pl.String)


def _mapped(
    owners: npt.NDArray[np.int64], pages: npt.NDArray[np.uint64], spaces: AddressSpaces
) -> pl.Series:
    """What lay at each page at the recording's end, where a mapping tells it."""
    epochs = spaces.last_epochs(owners)
    rows = pl.Series(spaces.find(epochs, pages << np.uint64(PAGE_BITS)))
    return spaces.mappings["path"].gather(rows.set(rows < 0, None))
