"""The second pass over the records: what can be counted once ranges and top pages are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from spetrace.profile.address_rows import address_rows
from spetrace.profile.address_spaces import AddressSpaces
from spetrace.profile.samples import (
    LOAD,
    PAGE_BITS,
    STORE,
    Samples,
    event_flags,
    model_codes,
    operation_code,
    with_spaces,
)
from spetrace.profile.survey import STREAM, Survey
from spetrace.profile.tally import Tally
from spetrace.tables.profile import HeatMap
from spetrace.tables.spe_records import SPE_RECORDS

RATE_BINS: Final = 240
HEAT_BINS: Final = 200
COLUMNS: Final = (
    "source", "cpu", "tid", "time_ns", "va", "pa", "operation_class", "operation_payload", "events",
    "total_latency_cycles", "data_source", "context_el1", "context_el2",
)  # fmt: skip
_KINDS: Final = ("loads", "stores", "tlb_walks", "l1d_refills")


@dataclass(frozen=True)
class TimeBins:
    """Equal bins from `start` on."""

    start: int
    length: int
    count: int

    def of(self, time: pl.Expr) -> pl.Expr:
        """The bin of each time."""
        return ((time - self.start) // self.length).clip(0, self.count - 1)


def time_bins(span: tuple[int, int], most: int) -> TimeBins:
    """At most `most` bins that hold the span, its last time included."""
    length = (span[1] - span[0]) // most + 1
    return TimeBins(span[0], length, (span[1] - span[0]) // length + 1)


@dataclass
class Detail:
    """Counts of the second pass."""

    pages: pl.DataFrame
    """By `owner`, `page`, `model`, `data_source` and `cycles` (total latency), of the top pages:
    `samples` and those of each kind."""
    rates: pl.DataFrame
    """By stream and `bin`; empty where there is no time."""
    rate_bins: TimeBins | None
    heat_map: HeatMap | None


def detail(
    samples: Samples,
    spaces: AddressSpaces,
    surveyed: Survey,
    span: tuple[int, int] | None,
    top_pages: pl.DataFrame,
    *,
    physical: bool,
) -> Detail:
    """Go through the records once more. `top_pages` are `owner` and `page`."""
    _midrs, model = model_codes(samples)
    pages = Tally(("owner", "page", "model", "data_source", "cycles"))
    rates = Tally((*STREAM, "bin"))
    bins = time_bins(span, RATE_BINS) if span else None
    heat = _Heat(surveyed.pages, time_bins(span, HEAT_BINS)) if span else None
    nothing = pl.DataFrame(pl.from_arrow(SPE_RECORDS.select(COLUMNS).empty()))
    pages.add(_pages(nothing, spaces, top_pages, model, physical))
    rates.add(_rates(nothing, bins or TimeBins(0, 1, 1)))
    for frame in samples.frames(COLUMNS):
        pages.add(_pages(frame, spaces, top_pages, model, physical))
        if bins and heat:
            rates.add(_rates(frame, bins))
            heat.add(frame)
    return Detail(pages.total(), rates.total(), bins, heat.map() if heat else None)


def _rates(frame: pl.DataFrame, bins: TimeBins) -> pl.DataFrame:
    timed = frame.select(*STREAM, "time_ns").drop_nulls("time_ns")
    binned = bins.of(pl.col("time_ns")).alias("bin")
    return timed.group_by(*STREAM, binned).agg(pl.len().cast(pl.UInt64).alias("samples"))


def _pages(
    frame: pl.DataFrame, spaces: AddressSpaces, top: pl.DataFrame, model: pl.Expr, physical: bool
) -> pl.DataFrame:
    address = "pa" if physical else "va"
    found = frame.with_columns((pl.col(address) // (1 << PAGE_BITS)).alias("page")).join(
        top.select("page").unique(), on="page", how="semi"
    )
    owner = pl.col("source").cast(pl.Int64) if physical else pl.col("space")
    coded = with_spaces(found, spaces).with_columns(owner.alias("owner"), operation_code(), model)
    return (
        coded.join(top, on=["owner", "page"], how="semi")
        .with_columns(event_flags())
        .with_columns(
            (pl.col("op") == LOAD).fill_null(False).alias("loads"),
            (pl.col("op") == STORE).fill_null(False).alias("stores"),
            pl.col("total_latency_cycles").alias("cycles"),
        )
        .group_by("owner", "page", "model", "data_source", "cycles")
        .agg(
            pl.len().cast(pl.UInt64).alias("samples"),
            *(pl.col(kind).sum().cast(pl.UInt64) for kind in _KINDS),
        )
    )


class _Heat:
    """Counts samples by rows of addresses and bins of time."""

    def __init__(self, pages: pl.DataFrame, bins: TimeBins) -> None:
        by_page = pages.group_by("page").agg(pl.col("samples").sum()).sort("page")
        self._bins = bins
        self._starts = self._ends = np.zeros(0, np.uint64)
        if len(by_page):
            self._starts, self._ends = address_rows(
                by_page["page"].to_numpy(), by_page["samples"].to_numpy()
            )
        self._counts = np.zeros(len(self._starts) * bins.count, np.int64)

    def add(self, frame: pl.DataFrame) -> None:
        """Count the records that have a data address and a time."""
        told = frame.select("va", "time_ns").drop_nulls()
        if len(told) and len(self._starts):
            page = told["va"].to_numpy() >> np.uint64(PAGE_BITS)
            row = np.searchsorted(self._starts, page, "right") - 1
            column = told.select(self._bins.of(pl.col("time_ns"))).to_series().to_numpy()
            cells = row * self._bins.count + column
            self._counts += np.bincount(cells, minlength=len(self._counts))

    def map(self) -> HeatMap | None:
        """The heat map; None where nothing was counted."""
        if not self._counts.any():
            return None
        return HeatMap(
            self._bins.start,
            self._bins.length,
            [start << PAGE_BITS for start in self._starts.tolist()],
            [end << PAGE_BITS for end in self._ends.tolist()],
            self._counts.reshape(len(self._starts), self._bins.count).tolist(),
        )
