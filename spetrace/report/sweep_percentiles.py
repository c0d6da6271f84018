"""Where the buffer's place is unknown: percentiles over placements instead of a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from spetrace.report.sweep_measures import MEASURES, SEED, Measure, Swept


@dataclass(frozen=True)
class Spread:
    """One measure of a strategy at one point of the grid, over its placements."""

    p5: float
    p50: float
    p95: float


@dataclass(frozen=True)
class PlacedResult:
    """A strategy at one point of the grid of one capture."""

    capture: str
    strategy: str
    point: Mapping[str, Any]
    """The swept parameters by name."""
    placements: int
    spreads: Mapping[str, Spread]
    """By the measure's name."""

    def spread(self, measure: Measure) -> Spread | None:
        """Of one measure; None where it has none (no records)."""
        return self.spreads.get(measure.name)


def find_percentiles(frame: pl.DataFrame, swept: Sequence[Swept]) -> list[PlacedResult]:
    """One result per capture, point and strategy that has several placements."""
    keys = ["capture", *(each.column for each in swept), "strategy"]
    rows = frame.group_by(keys, maintain_order=True).agg(
        pl.col(SEED).n_unique().alias("placements"),
        *(
            pl.col(m.name).quantile(q, "linear").alias(f"{m.name} {name}")
            for m in MEASURES
            for name, q in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))
        ),
    )
    found = []
    for row in rows.filter(pl.col("placements") > 1).iter_rows(named=True):
        spreads = {
            m.name: Spread(*(row[f"{m.name} {p}"] for p in ("p5", "p50", "p95")))
            for m in MEASURES
            if row[f"{m.name} p50"] is not None
        }
        point = {each.name: row[each.column] for each in swept}
        found.append(
            PlacedResult(row["capture"], row["strategy"], point, row["placements"], spreads)
        )
    return found
