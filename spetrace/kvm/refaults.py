"""The pages that one VM had to fault in again, and the time between."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.kvm.durations import Durations
from spetrace.kvm.page_tally import PageTally
from spetrace.spooled import Column, chunks, let_go
from spetrace.tables.kvm_summary import RefaultClass, RefaultedPage, Refaults

BOUNDS_NS: Final = tuple(10**n for n in range(5, 12))
"""From 100 us to 100 s."""
_TOP_PAGES: Final = 10
_ACCESS: Final = (
    pl.when(pl.col("is_fetch"))
    .then(pl.lit("fetch"))
    .when(pl.col("is_write"))
    .then(pl.lit("write"))
    .otherwise(pl.lit("read"))
)


class RefaultTally:
    """Takes one VM's rows of table refaults: held is what there is one of for each page."""

    def __init__(self) -> None:
        self._mapped_before = 0
        self._between: dict[str, Durations] = {}
        self._histogram = np.zeros(len(BOUNDS_NS) + 1, np.int64)
        self._pages = PageTally()
        self._ipa, self._between_ns = Column(np.uint64), Column(np.int64)

    def add(self, refaults: pl.DataFrame) -> None:
        """Take some more."""
        self._mapped_before += refaults["mapped_ns"].null_count()
        named = refaults.select("between_ns", _ACCESS.alias("access"))
        for (access,), own in named.partition_by("access", as_dict=True).items():
            self._between.setdefault(access, Durations()).add(own["between_ns"])
        between = refaults["between_ns"].to_numpy()
        self._histogram += self._binned(between)
        self._pages.add(refaults["ipa"].to_numpy())
        self._ipa.add(refaults["ipa"].to_numpy())
        self._between_ns.add(between)

    def summary(self) -> Refaults:
        """All of them; nothing can be added any more."""
        total = int(self._histogram.sum())
        return Refaults(
            total=total,
            pages=len(self._pages),
            mapped_before=self._mapped_before,
            classes=self._classes(),
            bounds_ns=BOUNDS_NS,
            histogram=tuple(self._histogram.tolist()),
            top_pages=self._top_pages(),
        )

    def _binned(self, between: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        bins = np.searchsorted(BOUNDS_NS, between, "right")
        return np.bincount(bins, minlength=len(BOUNDS_NS) + 1)

    def _classes(self) -> tuple[RefaultClass, ...]:
        found = [
            RefaultClass(access, times.count, times)
            for access, times in ((a, own.times()) for a, own in self._between.items())
        ]
        return tuple(sorted(found, key=lambda c: (-c.refaults, c.access)))

    def _top_pages(self) -> tuple[RefaultedPage, ...]:
        """The pages with the most refaults, of as many the lowest."""
        pages = {ipa: Durations() for ipa in self._pages.most(_TOP_PAGES)}
        ipas, between = self._ipa.finish(), self._between_ns.finish()
        for select in chunks(len(ipas)):
            for ipa, own in pages.items():
                own.add(pl.Series(between[select][ipas[select] == ipa]))
            let_go(ipas, between)
        return tuple(
            RefaultedPage(ipa, times.count, times.p50_ns or 0)
            for ipa, times in ((ipa, own.times()) for ipa, own in pages.items())
        )
