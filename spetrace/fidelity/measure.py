"""What records are compared by: each has one of few values (its bin), or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer[Any]]
Counts = npt.NDArray[np.int64]
Places = npt.NDArray[np.integer[Any]]
Mask = npt.NDArray[np.bool_]

MOST_BINS: Final = 2048
"""Bins of a distribution: the most frequent ones, and in the last one all others."""
_STRETCH: Final = 1 << 20


@dataclass(frozen=True)
class Measure:
    """One property of all records."""

    name: str
    """"pc", "data_source", "operation" or "latency"."""
    basis: str
    """What a bin is, for people."""
    codes: Codes
    """Per record its bin; `bins` where it has none."""
    bins: int
    values: npt.NDArray[np.float64] | None = None
    """Of a quantity: per bin its value, ascending. None for a distribution."""

    def at(self, rows: Places) -> Measure:
        """The measure of the records at `rows`, in that order."""
        if len(rows) == len(self.codes) and bool((rows[1:] > rows[:-1]).all()):
            return self
        return replace(self, codes=self.codes[rows])

    def counts(self, which: Places | None = None) -> Counts:
        """Records per bin: of all, or of those at the places `which`."""
        codes = self.codes if which is None else self.codes[which]
        return count_codes(codes, self.bins + 1)[: self.bins]


def count_codes(codes: Codes, size: int = 0) -> Counts:
    """How often each number is among `codes`: of at least `size` numbers.

    A stretch after another, as numpy counts what it has first made 64 bits wide.
    """
    counts = np.zeros(size, np.int64)
    for start in range(0, len(codes), _STRETCH):
        found = np.bincount(codes[start : start + _STRETCH], minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    return counts


def distribution(
    name: str, basis: str, codes: Codes, has_code: Mask, most: int = MOST_BINS
) -> Measure:
    """A measure of small numbers; those of records that have none don't matter.

    Of equally frequent numbers the lower one is kept apart from the others.
    """
    counts = count_codes(_held(codes, has_code))
    kept = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    bins = min(len(kept), most)
    bin_of = np.minimum(np.arange(len(kept)), max(bins - 1, 0))
    return Measure(name, basis, _translated(codes, has_code, kept, bin_of, bins), bins)


def quantity(name: str, basis: str, values: Codes, has_value: Mask) -> Measure:
    """A measure whose bins are the values that there are: small numbers."""
    distinct = np.flatnonzero(count_codes(_held(values, has_value)))
    bins = len(distinct)
    codes = _translated(values, has_value, distinct, np.arange(bins), bins)
    return Measure(name, basis, codes, bins, distinct.astype(np.float64))


def _held(codes: Codes, has_code: Mask) -> Codes:
    return codes if has_code.all() else codes[has_code]


def _translated(
    codes: Codes, has_code: Mask, known: Places, bin_of_known: Places, absent: int
) -> Codes:
    """Per record its bin, in the smallest type that holds `absent`, too."""
    bin_of = np.full(int(known.max(initial=0)) + 1, absent, np.min_scalar_type(absent))
    bin_of[known] = bin_of_known
    if has_code.all():
        return bin_of[codes]
    found = np.full(len(codes), absent, bin_of.dtype)
    found[has_code] = bin_of[codes[has_code]]
    return found
