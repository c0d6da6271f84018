"""Which assumption matters: what each parameter's range does to each measure of a strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from spetrace.report.sweep_measures import MEASURES, SEED, Measure, Swept, cells

PLACEMENT: Final = "placement"
"""The parameter that stands for where the buffers lie."""


@dataclass(frozen=True)
class Effect:
    """One parameter's effect on one measure of one strategy."""

    capture: str
    strategy: str
    measure: Measure
    parameter: str
    low: float
    """The least of the medians over all other parameters, one per value of this one."""
    low_at: Any
    """The value that gives it."""
    high: float
    high_at: Any
    middle: float
    """The median over the whole grid."""
    widest: float
    """The most that this parameter alone changes, at any values of the others."""

    @property
    def width(self) -> float:
        """From low to high."""
        return self.high - self.low


def find_effects(frame: pl.DataFrame, swept: Sequence[Swept]) -> list[Effect]:
    """All effects, of one strategy and measure the widest first; `frame` is as `measured` gives it."""
    found: list[Effect] = []
    by_point = cells(frame, swept)
    several = frame.group_by("capture").agg(pl.col(SEED).n_unique()).filter(pl.col(SEED) > 1)
    placed = frame.filter(pl.col("capture").is_in(several["capture"].to_list()))
    for measure in MEASURES:
        effects = [e for each in swept for e in _of_parameter(by_point, each, swept, measure)]
        effects += _of_placement(placed, swept, measure)
        found += sorted(effects, key=lambda e: -e.width)
    return found


def _of_parameter(
    by_point: pl.DataFrame, parameter: Swept, swept: Sequence[Swept], measure: Measure
) -> Iterator[Effect]:
    value = pl.col(measure.name)
    others = [each.column for each in swept if each is not parameter]
    known = by_point.filter(value.is_not_null())
    for (capture, strategy), own in known.group_by("capture", "strategy", maintain_order=True):
        medians = own.group_by(parameter.column, maintain_order=True).agg(value.median())
        ranges = (own.group_by(others) if others else own.group_by(pl.lit(0))).agg(
            (value.max() - value.min()).alias("range")
        )
        rows = medians.sort(measure.name, maintain_order=True).rows()
        (low_at, low), (high_at, high) = rows[0], rows[-1]
        yield Effect(
            str(capture), str(strategy), measure, parameter.name, low, low_at, high, high_at,
            own.select(value.median()).item(), ranges.select(pl.col("range").max()).item(),
        )  # fmt: skip


def _of_placement(
    frame: pl.DataFrame, swept: Sequence[Swept], measure: Measure
) -> Iterator[Effect]:
    value = pl.col(measure.name)
    keys = ["capture", "strategy"]
    spread = frame.group_by([*keys, *(each.column for each in swept)], maintain_order=True).agg(
        value.quantile(0.05, "linear").alias("p5"),
        value.quantile(0.95, "linear").alias("p95"),
        value.median().alias("p50"),
        (value.max() - value.min()).alias("range"),
    )
    whole = spread.group_by(keys, maintain_order=True).agg(
        pl.col("p5", "p95", "p50").median(), pl.col("range").max()
    )
    for capture, strategy, low, high, middle, widest in whole.drop_nulls().rows():
        yield Effect(capture, strategy, measure, PLACEMENT, low, "p5", high, "p95", middle, widest)
