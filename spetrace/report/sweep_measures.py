"""What a sweep's report compares: three measures of a run, and the parameters that were swept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import pyarrow as pa

from spetrace.report.units import render_count, render_size, render_time

_COSTS: Final = "costs."
SEED: Final = "placement_seed"


@dataclass(frozen=True)
class Measure:
    """One number of a strategy in a run."""

    name: str
    title: str
    unit: str
    higher_is_better: bool
    expression: pl.Expr
    render: Callable[[float], str]


def _render_share(percent: float) -> str:
    """Four digits, and "100" or "0" only where that is exact."""
    text = f"{percent:.4g}"
    if text == "100" and percent < 100:
        return ">99.99 %"
    return "<0.001 %" if 0 < percent < 0.001 else f"{text} %"


MEASURES: Final = (
    Measure(
        "captured_share",
        "Captured records",
        "percent of all records",
        True,
        pl.when(pl.col("records") > 0).then(100.0 * pl.col("captured") / pl.col("records")),
        _render_share,
    ),
    Measure(
        "overhead_ns",
        "Overhead",
        "ns",
        False,
        pl.col("overhead_ns").cast(pl.Float64),
        lambda ns: render_time(round(ns)),
    ),
    Measure(
        "pinned_bytes_peak",
        "Peak of pinned memory",
        "bytes",
        False,
        pl.col("pinned_bytes_peak").cast(pl.Float64),
        lambda count: render_size(round(count)),
    ),
)


@dataclass(frozen=True)
class Swept:
    """One parameter of the grid and the values that it takes, in their order."""

    name: str
    values: tuple[Any, ...]

    @property
    def column(self) -> str:
        """Its column in table runs."""
        return self.name.removeprefix(_COSTS)

    def render(self, value: Any) -> str:
        """A value as people read it."""
        if value is None or value == "":
            return "none"
        if self.name.endswith("_bytes") or self.name == "page_size":
            return render_size(value)
        if self.name.endswith("_ns"):
            return render_time(value)
        return render_count(value) if isinstance(value, int) else str(value)


def swept_of(facts: Mapping[str, Any]) -> tuple[Swept, ...]:
    """The parameters that take several values; a number's from low to high, none last."""
    settings = facts.get("settings", {})
    return tuple(
        Swept(name, tuple(sorted(values, key=_order)))
        for name, values in settings.items()
        if len(values) > 1
    )


def _order(value: Any) -> tuple[int, Any]:
    if value is None:
        return 1, 0
    return 0, value


def measured(totals: pa.Table, swept: Sequence[Swept]) -> pl.DataFrame:
    """A row per run and strategy: capture, strategy, placement_seed, the swept parameters, measures."""
    frame = pl.DataFrame(totals)
    categories = [n for n, type_ in frame.schema.items() if type_ in (pl.Categorical, pl.Enum)]
    frame = frame.with_columns(pl.col(categories).cast(pl.String)) if categories else frame
    return frame.select(
        "capture",
        "strategy",
        SEED,
        *(each.column for each in swept),
        *(m.expression.alias(m.name) for m in MEASURES),
    )


def cells(frame: pl.DataFrame, swept: Sequence[Swept]) -> pl.DataFrame:
    """One row per capture, strategy and point: the measures' medians over placements."""
    keys = ["capture", "strategy", *(each.column for each in swept)]
    medians = [pl.col(m.name).median() for m in MEASURES]
    return frame.group_by(keys, maintain_order=True).agg(medians)
