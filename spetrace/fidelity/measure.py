"""What records are compared by: each has one of few values (its bin), or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.fidelity.survival import EVERY
from spetrace.fidelity.tally import Groups, Int64s, summed

Counts = npt.NDArray[np.int64]

MOST_BINS: Final = 2048
"""Bins of a distribution: the most frequent ones, and in the last one all others."""


@dataclass(frozen=True)
class Measure:
    """One property of all records that have it."""

    name: str
    """"pc", "data_source", "operation" or "latency"."""
    basis: str
    """What a bin is, for people."""
    groups: Groups
    """Records by bin (their key) and mark."""
    bins: int
    values: npt.NDArray[np.float64] | None = None
    """Of a quantity: per bin its value, ascending. None for a distribution."""

    def counts(self, mark: int) -> Counts:
        """Records per bin: of those that have the mark."""
        return self.groups.of_mark(mark, self.bins)


def distribution(
    name: str, basis: str, numbers: Int64s, groups: Groups, most: int = MOST_BINS
) -> Measure:
    """A measure of small numbers, one for each key of `groups`.

    Of equally frequent numbers the lower one is kept apart from the others.
    """
    number = numbers[groups.key]
    every = groups.mark == EVERY
    counts = summed(number[every], groups.records[every], 0)
    kept = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    bins = min(len(kept), most)
    bin_of = np.zeros(len(counts), np.int64)
    bin_of[kept] = np.minimum(np.arange(len(kept)), max(bins - 1, 0))
    return Measure(name, basis, groups._replace(key=bin_of[number]), bins)


def quantity(name: str, basis: str, numbers: Int64s, groups: Groups) -> Measure:
    """A measure whose bins are the values that there are: a small number for each key of `groups`."""
    values, bins = np.unique(numbers, return_inverse=True)
    binned = groups._replace(key=bins[groups.key])
    return Measure(name, basis, binned, len(values), values.astype(np.float64))
