"""Distances and percentiles as the definitions have them: over lists, one record at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import Measure, distribution, quantity
from spetrace.fidelity.survival import EVERY, NOT_REPLAYED
from spetrace.fidelity.tally import Tallying


def plain_distance(some: Sequence[Hashable], every: Sequence[Hashable]) -> Fraction:
    """Half the sum of the differences of shares."""
    ours, theirs = Counter(some), Counter(every)
    differences = (
        abs(Fraction(ours[value], len(some)) - Fraction(theirs[value], len(every)))
        for value in set(every)
    )
    return sum(differences, Fraction(0)) / 2


def plain_percentile(percent: int, values: Sequence[int]) -> int:
    """Nearest rank: the least value that so many percent do not pass."""
    return sorted(values)[max(1, math.ceil(Fraction(percent, 100) * len(values))) - 1]


LOST = NOT_REPLAYED + 1
"""The mark of what one strategy loses."""


class Property:
    """A property of some records: their values, and the measure that they make."""

    def __init__(self, make: Callable[..., Measure], values: Sequence[int | None], **options: int):
        self.make, self.values, self.options = make, values, options

    def measure(self, survives: Sequence[bool]) -> Measure:
        numbers, known = column(self.values)
        lost = np.flatnonzero(~np.array(survives, bool))
        tallying = Tallying()
        tallying.add(numbers, np.zeros(1, np.int64), known, [(EVERY, None), (LOST, lost)])
        tally = tallying.take()
        return self.make(tally.values.astype(np.int64), tally.groups, **self.options)

    def counts(self) -> np.ndarray:
        return self.measure([True] * len(self.values)).counts(EVERY)

    @property
    def bin_values(self) -> np.ndarray:
        values = self.measure([True] * len(self.values)).values
        assert values is not None
        return values


def column(values: Sequence[int | None]) -> tuple[np.ndarray, np.ndarray]:
    """Values with 7 where there is none, and where there are any."""
    filled = np.array([7 if v is None else v for v in values], np.uint16)
    return filled, np.array([v is not None for v in values], bool)


def places(values: Sequence[int | None], **options: int) -> Property:
    return Property(partial(distribution, "pc", "functions"), values, **options)


def latencies(values: Sequence[int | None]) -> Property:
    return Property(partial(quantity, "latency", "total latency"), values)


def compared(properties: Sequence[Property], survives: Sequence[bool], seed: int = 0) -> list[dict]:
    measures = [each.measure(survives) for each in properties]
    return build_fidelity(measures, {"one": LOST}, seed).to_pylist()
