"""Mapped pages of one VM over time, and the pages that it had to fault in again."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from spetrace.kvm.times import times_in, times_of
from spetrace.tables.kvm_summary import RefaultClass, RefaultedPage, Refaults, StateSummary

BOUNDS_NS: Final = tuple(10**n for n in range(5, 12))
"""From 100 us to 100 s."""
_TOP_PAGES: Final = 10


def state_summary(state: pl.DataFrame, end_ns: int) -> StateSummary:
    """Of table vm_state; it holds until `end_ns`."""
    times = state["time_ns"].to_numpy()
    mapped, writable = (state[name].cast(pl.Int64).to_numpy() for name in _COUNTS)
    lengths = np.diff(np.append(times, max(end_ns, int(times[-1]))))
    whole = int(lengths.sum())
    weights = lengths if whole else np.ones(len(times), np.int64)
    peak = int(mapped.argmax())
    return StateSummary(
        stage2_from=str(state["stage2_from"][0]),
        start_pages=int(mapped[0]),
        peak_pages=int(mapped[peak]),
        peak_ns=int(times[peak]),
        end_pages=int(mapped[-1]),
        mean_pages=float(np.average(mapped, weights=weights)),
        mean_writable_pages=float(np.average(writable, weights=weights)),
        times_ns=tuple(times.tolist()),
        mapped_pages=tuple(mapped.tolist()),
        writable_pages=tuple(writable.tolist()),
    )


_COUNTS: Final = ("mapped_pages", "writable_pages")


def refault_summary(refaults: pl.DataFrame) -> Refaults:
    """Of table refaults."""
    bins = np.searchsorted(BOUNDS_NS, refaults["between_ns"].to_numpy(), "right")
    return Refaults(
        total=len(refaults),
        pages=refaults["ipa"].n_unique() if len(refaults) else 0,
        mapped_before=refaults["mapped_ns"].null_count(),
        classes=_classes(refaults),
        bounds_ns=BOUNDS_NS,
        histogram=tuple(np.bincount(bins, minlength=len(BOUNDS_NS) + 1).tolist()),
        top_pages=_top_pages(refaults),
    )


def _classes(refaults: pl.DataFrame) -> tuple[RefaultClass, ...]:
    access = (
        pl.when(pl.col("is_fetch"))
        .then(pl.lit("fetch"))
        .when(pl.col("is_write"))
        .then(pl.lit("write"))
        .otherwise(pl.lit("read"))
    )
    grouped = refaults.group_by(access.alias("access")).agg(*times_of("between_ns"))
    rows = grouped.sort(["count", "access"], descending=[True, False]).iter_rows(named=True)
    return tuple(RefaultClass(row["access"], row["count"], times_in(row)) for row in rows)


def _top_pages(refaults: pl.DataFrame) -> tuple[RefaultedPage, ...]:
    """The pages with the most refaults, of as many the lowest."""
    pages = refaults.group_by("ipa").agg(*times_of("between_ns"))
    rows = pages.sort(["count", "ipa"], descending=[True, False]).head(_TOP_PAGES)
    return tuple(
        RefaultedPage(row["ipa"], row["count"], row["p50_ns"]) for row in rows.iter_rows(named=True)
    )
