"""When the ranking of strategies flips: between which values of which parameter."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from spetrace.report.sweep_measures import MEASURES, Measure, Swept, cells


@dataclass(frozen=True)
class Flip:
    """Of two strategies one is better at one value of a parameter, and the other at the next."""

    capture: str
    measure: Measure
    parameter: str
    better_before: str
    """The strategy that is better at `before`."""
    better_after: str
    before: Any
    after: Any
    """The first value at which the other one is better; between the two may lie a tie."""
    settings: int
    """At how many settings of the other parameters it is so."""
    of_settings: int


def find_flips(frame: pl.DataFrame, swept: Sequence[Swept], bounds: Collection[str]) -> list[Flip]:
    """All flips between strategies that are no bounds; those at most settings first."""
    by_point = cells(frame, swept).filter(~pl.col("strategy").is_in(list(bounds)))
    flips: list[Flip] = []
    for (capture,), own in by_point.group_by("capture", maintain_order=True):
        for measure, parameter in itertools.product(MEASURES, swept):
            flips += _flips_of(str(capture), own, measure, parameter, swept)
    return sorted(flips, key=lambda f: -f.settings / f.of_settings)


def _flips_of(
    capture: str, own: pl.DataFrame, measure: Measure, parameter: Swept, swept: Sequence[Swept]
) -> Iterator[Flip]:
    others = [each.column for each in swept if each is not parameter]
    groups = own.group_by(others, maintain_order=True) if others else [((), own)]
    found: Counter[tuple[str, str, Any, Any]] = Counter()
    settings = 0
    for _key, group in groups:
        settings += 1
        found.update(_changes(group, measure, parameter))
    for (first, second, before, after), count in found.items():
        yield Flip(capture, measure, parameter.name, first, second, before, after, count, settings)


def _changes(
    group: pl.DataFrame, measure: Measure, parameter: Swept
) -> Iterator[tuple[str, str, Any, Any]]:
    """(better before, better after, the value before, the value after) of each pair of strategies."""
    by_strategy: dict[str, dict[Any, float]] = {}
    rows = group.select("strategy", parameter.column, measure.name).drop_nulls(measure.name)
    for strategy, value, number in rows.iter_rows():
        by_strategy.setdefault(strategy, {})[value] = number
    sign = 1 if measure.higher_is_better else -1
    for one, other in itertools.combinations(by_strategy, 2):
        last: tuple[Any, bool] | None = None
        for value in parameter.values:
            if value not in by_strategy[one] or value not in by_strategy[other]:
                continue
            difference = sign * (by_strategy[one][value] - by_strategy[other][value])
            if difference == 0:
                continue
            if last and last[1] != (difference > 0):
                pair = (one, other) if last[1] else (other, one)
                yield (*pair, last[0], value)
            last = value, difference > 0
