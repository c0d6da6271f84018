"""A piecewise constant map from page numbers to values.

Address spaces are large and what happens in them comes in ranges: a log may map 2^40 pages in one
event. The map keeps one entry per run of equal values, so its size grows with the events, not with
the pages they name.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")

PageRange = tuple[int, int]
"""Pages [first, end)."""


class PageMap(Generic[Value]):
    """Page number to value; all pages have one, at first `value`."""

    __slots__ = ("_starts", "_values")

    def __init__(self, value: Value) -> None:
        self._starts = [0]
        self._values = [value]

    def at(self, page: int) -> Value:
        """The value of one page."""
        return self._values[bisect_right(self._starts, page) - 1]

    def runs(self, first: int, end: int) -> Iterator[tuple[int, int, Value]]:
        """The runs of equal values within [first, end), in order, as (first, end, value)."""
        starts = self._starts
        i = bisect_right(starts, first) - 1
        while first < end:
            i += 1
            stop = min(starts[i], end) if i < len(starts) else end
            yield first, stop, self._values[i - 1]
            first = stop

    def transform(
        self, first: int, end: int, change: Callable[[Value], Value]
    ) -> list[tuple[int, Value, Value]]:
        """Replace each value in [first, end) by `change(value)`.

        Returns what was met: (pages, old value, new value) per run.
        """
        if first >= end:
            return []
        starts, values = self._starts, self._values
        i = bisect_right(starts, first) - 1
        j = bisect_left(starts, end, i + 1)
        left = i - 1 if i and starts[i] == first else i
        new_starts = [starts[left]] if starts[left] < first else []
        new_values = [values[left]] if starts[left] < first else []
        met = []
        for k in range(i, j):
            start = max(starts[k], first)
            stop = starts[k + 1] if k + 1 < j else end
            new = change(values[k])
            met.append((stop - start, values[k], new))
            if not new_values or new_values[-1] != new:
                new_starts.append(start)
                new_values.append(new)
        after = values[j] if j < len(starts) and starts[j] == end else values[j - 1]
        right = j + 1 if j < len(starts) and starts[j] == end else j
        if new_values[-1] != after:
            new_starts.append(end)
            new_values.append(after)
        starts[left:right] = new_starts
        values[left:right] = new_values
        return met

    def assign(self, first: int, end: int, value: Value) -> bool:
        """Set [first, end) to `value`; whether any page had another one."""
        return any(old != value for _, old, _ in self.transform(first, end, lambda _: value))


def merged(ranges: list[PageRange]) -> list[PageRange]:
    """The same pages as sorted ranges that neither overlap nor touch; empty ones dropped."""
    result: list[PageRange] = []
    for first, end in sorted(r for r in ranges if r[0] < r[1]):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((first, end))
    return result
