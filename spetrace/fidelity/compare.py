"""Table fidelity: per strategy and measure, the surviving records against all, and the noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.fidelity.distance import percentile, total_variation
from spetrace.fidelity.measure import Counts, Measure
from spetrace.fidelity.noise import SEED, distances_of_random_losses, shifts_of_random_losses
from spetrace.fidelity.survival import EVERY, NOT_REPLAYED
from spetrace.tables.fidelity import FIDELITY

_PERCENTILES: Final = {"p50": 0.5, "p99": 0.99}
_ROUNDING: Final = 1e-9
"""Sums of the same numbers differ by this at most."""


class _Kind(NamedTuple):
    """One measure of the table: a distribution, or a percentile of a quantity."""

    name: str
    unit: str
    fraction: float | None


class _Noise(NamedTuple):
    p50: float
    p95: float


def build_fidelity(
    measures: Sequence[Measure], lost: Mapping[str, int], seed: int = SEED
) -> pa.Table:
    """Table fidelity of `measures`; `lost` is by strategy the mark of those that don't survive it.

    Records that were not replayed count for nothing. The noise depends on the seed, the measure and
    how many records survive, not on other strategies.
    """
    compared = [_Compared(number, measure, seed) for number, measure in enumerate(measures)]
    return FIDELITY.from_rows(
        [
            (name, *row)
            for name, mark in lost.items()
            for each in compared
            for row in each.rows(mark)
        ]
    )


class _Compared:
    """One measure of all records, and the noise of each number of survivors asked for so far."""

    def __init__(self, number: int, measure: Measure, seed: int) -> None:
        self.measure = measure
        self._every = measure.counts(EVERY)
        self.all_counts = self._every - measure.counts(NOT_REPLAYED)
        self._records = int(self.all_counts.sum())
        self._seed = (seed, number)
        self._noise: dict[tuple[str, int], _Noise] = {}

    def rows(self, lost: int) -> Iterator[tuple[Any, ...]]:
        """The measure's rows where those with the mark `lost` don't survive, but for the strategy."""
        counts = self._every - self.measure.counts(lost)
        surviving = int(counts.sum())
        for kind in _kinds(self.measure):
            head = (kind.name, self.measure.basis, kind.unit, self._records, surviving)
            if not surviving:
                yield (*head, None, None, None, None)
                continue
            value, noise = self._value(kind, counts), self._noise_of(kind, surviving)
            yield (*head, value, *noise, abs(value) > noise.p95 * (1 + _ROUNDING))

    def _value(self, kind: _Kind, counts: Counts) -> float:
        values = self.measure.values
        if kind.fraction is None or values is None:
            return float(total_variation(counts, self.all_counts))
        whole = percentile(kind.fraction, self.all_counts, values)
        return percentile(kind.fraction, counts, values) - whole

    def _noise_of(self, kind: _Kind, surviving: int) -> _Noise:
        if surviving == self._records:
            return _Noise(0.0, 0.0)
        key = kind.name, surviving
        if key not in self._noise:
            drawn = np.sort(np.abs(self._draw(kind, surviving)))
            self._noise[key] = _Noise(_nearest_rank(drawn, 0.5), _nearest_rank(drawn, 0.95))
        return self._noise[key]

    def _draw(self, kind: _Kind, surviving: int) -> npt.NDArray[np.float64]:
        random = np.random.default_rng((*self._seed, surviving))
        values = self.measure.values
        if kind.fraction is None or values is None:
            return distances_of_random_losses(self.all_counts, surviving, random)
        return shifts_of_random_losses(kind.fraction, self.all_counts, values, surviving, random)


def _kinds(measure: Measure) -> list[_Kind]:
    if measure.values is None:
        return [_Kind(measure.name, "1", None)]
    return [
        _Kind(f"{measure.name}_{name}", "cycles", fraction)
        for name, fraction in _PERCENTILES.items()
    ]


def _nearest_rank(ascending: npt.NDArray[np.float64], fraction: float) -> float:
    return float(ascending[int(np.ceil(fraction * len(ascending))) - 1])
