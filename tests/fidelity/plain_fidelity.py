"""Distances and percentiles as the definitions have them: over lists, one record at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from fractions import Fraction

import numpy as np

from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import Measure, distribution, quantity
from spetrace.tables.results import OUTCOMES

CAPTURED, LOST = OUTCOMES.index("captured"), OUTCOMES.index("lost_blackout")


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


def column(values: Sequence[int | None]) -> tuple[np.ndarray, np.ndarray]:
    """Values with 7 where there is none, and where there are any."""
    filled = np.array([7 if v is None else v for v in values], np.uint16)
    return filled, np.array([v is not None for v in values], bool)


def places(values: Sequence[int | None], **options: int) -> Measure:
    return distribution("pc", "functions", *column(values), **options)


def latencies(values: Sequence[int | None]) -> Measure:
    return quantity("latency", "total latency", *column(values))


def compared(measures: Sequence[Measure], survives: Sequence[bool], seed: int = 0) -> list[dict]:
    codes = np.where(np.array(survives, bool), CAPTURED, LOST).astype(np.uint8)
    return build_fidelity(measures, {"one": codes}, seed).to_pylist()
