"""How far some records are from all, by their counts per bin."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from spetrace.fidelity.measure import Counts


def total_variation(counts: Counts, all_counts: Counts) -> npt.NDArray[np.float64]:
    """Total variation distance of the distribution `counts` (in the last axis) to `all_counts`.

    0 where they are the same, 1 where they share no bin. Neither may be empty.
    """
    shares = counts / counts.sum(axis=-1, keepdims=True)
    distance = np.abs(shares - all_counts / all_counts.sum()).sum(axis=-1) / 2
    return np.asarray(distance, np.float64)


def percentile_rank(fraction: float, records: int) -> int:
    """Which one of `records`, from 1 and by value, is their percentile (nearest rank)."""
    return max(1, math.ceil(fraction * records))


def values_at(
    ranks: npt.ArrayLike, counts: Counts, values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The values of the records at `ranks`, which count from 1 and by value."""
    return values[np.searchsorted(np.cumsum(counts), ranks)]


def percentile(fraction: float, counts: Counts, values: npt.NDArray[np.float64]) -> float:
    """The percentile of the records that `counts` counts by their `values`; there must be one."""
    return float(values_at(percentile_rank(fraction, int(counts.sum())), counts, values))
