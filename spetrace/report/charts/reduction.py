"""Fewer points that still show the same: envelopes of step functions, the longest of many lengths."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_PER_STRETCH: Final = 4


def envelope_rows(values: Ints, most: int) -> Ints:
    """The rows to draw of a step function, `most` at the most (four where that is less): its extremes are kept.

    Of each stretch of rows these are the first, the last, the lowest and the highest.
    """
    count = len(values)
    if count <= max(most, _PER_STRETCH):
        return np.arange(count)
    stretch = -(-count // max(1, most // _PER_STRETCH))
    starts = np.arange(0, count, stretch)
    ends = np.append(starts[1:], count) - 1
    low, high = (_first_of(values, starts, extreme) for extreme in (np.minimum, np.maximum))
    return np.unique(np.concatenate([starts, ends, low, high]))


def longest_rows(lengths: Ints, most: int) -> Ints:
    """The rows of the `most` longest, in their order; of those as long as the shortest, even ones."""
    count = len(lengths)
    if count <= most:
        return np.arange(count)
    least = np.partition(lengths, count - most)[count - most]
    longer = np.flatnonzero(lengths > least)
    as_long = np.flatnonzero(lengths == least)
    picks = np.linspace(0, len(as_long) - 1, most - len(longer)).astype(np.int64)
    return np.sort(np.concatenate([longer, as_long[picks]]))


def _first_of(values: Ints, starts: Ints, extreme: np.ufunc) -> Ints:
    """Per stretch the first row that holds its extreme."""
    extremes = extreme.reduceat(values, starts)
    lengths = np.diff(np.append(starts, len(values)))
    hits = np.flatnonzero(values == np.repeat(extremes, lengths))
    stretches = np.searchsorted(starts, hits, side="right") - 1
    return hits[np.unique(stretches, return_index=True)[1]]
