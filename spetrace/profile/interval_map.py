"""Half-open ranges of addresses with a value each; a newer range replaces what it covers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt

_FEW = 16
"""Queries per range below which they are answered one by one."""


class IntervalMap:
    """Ranges in ascending order that do not overlap."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._values: list[int] = []

    def assign(self, start: int, end: int, value: int) -> None:
        """Give [start, end) the value; parts of older ranges that stick out stay.

        All calls together take time in proportion to their number (and its logarithm).
        """
        if start >= end:
            return
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        starts, ends, values = [start], [end], [value]
        if first < last:
            if self._starts[first] < start:
                starts.insert(0, self._starts[first])
                ends.insert(0, start)
                values.insert(0, self._values[first])
            if self._ends[last - 1] > end:
                starts.append(end)
                ends.append(self._ends[last - 1])
                values.append(self._values[last - 1])
        self._starts[first:last] = starts
        self._ends[first:last] = ends
        self._values[first:last] = values

    def find(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """The value at each address; -1 where there is none."""
        if not self._starts:
            return np.full(len(addresses), -1, np.int64)
        if len(addresses) * _FEW < len(self._starts):
            return np.array([self._at(int(a)) for a in addresses], np.int64)
        starts, ends = np.array(self._starts, np.uint64), np.array(self._ends, np.uint64)
        at = np.searchsorted(starts, addresses, "right") - 1
        inside = (at >= 0) & (addresses < ends[np.maximum(at, 0)])
        return np.where(inside, np.array(self._values, np.int64)[np.maximum(at, 0)], -1)

    def _at(self, address: int) -> int:
        at = bisect_right(self._starts, address) - 1
        return self._values[at] if at >= 0 and address < self._ends[at] else -1
