"""Counts by key that are added up frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

_HELD_ROWS: Final = 1 << 22
"""Rows of parts above which they are added up."""


class Tally:
    """Sums by `keys`; memory grows with the number of distinct keys, not with that of frames.

    `least` and `most` name columns whose smallest or largest value is kept in place of the sum.
    """

    def __init__(
        self, keys: Sequence[str], least: Sequence[str] = (), most: Sequence[str] = ()
    ) -> None:
        self._keys = list(keys)
        self._least, self._most = set(least), set(most)
        self._parts: list[pl.DataFrame] = []
        self._rows = self._settled = 0

    def add(self, counts: pl.DataFrame) -> None:
        """Add counts; keys may come more than once."""
        if not len(counts) and self._parts:
            return
        self._parts.append(counts)
        self._rows += len(counts)
        if self._rows > max(_HELD_ROWS, 2 * self._settled):
            self.total()

    def total(self) -> pl.DataFrame:
        """One row per key. Raises ValueError where nothing was added."""
        whole = pl.concat(self._parts)
        sums = [self._sum(name) for name in whole.columns if name not in self._keys]
        self._parts = [whole.group_by(self._keys).agg(sums)]
        self._rows = self._settled = len(self._parts[0])
        return self._parts[0]

    def _sum(self, name: str) -> pl.Expr:
        if name in self._least:
            return pl.col(name).min()
        return pl.col(name).max() if name in self._most else pl.col(name).sum()
