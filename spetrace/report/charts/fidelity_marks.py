"""Profile fidelity as it is shown: each measure's values beside the noise of random losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from spetrace.report.counters import strategies_of
from spetrace.report.wording import printable
from spetrace.tables.fidelity import MEASURES
from spetrace.tables.run import Run

TITLES: Final = {
    "pc": "PCs",
    "data_source": "data sources",
    "operation": "operations",
    "latency_p50": "latency p50",
    "latency_p99": "latency p99",
}


@dataclass(frozen=True)
class Mark:
    """One measure of one strategy that loses records."""

    strategy: str
    value: float | None
    """None where no record survives."""
    noise_p95: float | None
    """None where no record survives, as the value."""
    is_skewed: bool
    records: int
    surviving: int
    unit: str

    @property
    def text(self) -> str:
        """The value in its unit."""
        return NOTHING if self.value is None else render_measure(self.value, self.unit)

    @property
    def noise(self) -> str:
        """The noise's 95th percentile."""
        if self.noise_p95 is None:
            return NOTHING
        return render_measure(self.noise_p95, self.unit).lstrip("+")


@dataclass(frozen=True)
class Measure:
    """One measure over the strategies, in the run's order."""

    name: str
    title: str
    """Of PCs with what is compared: "PCs (functions)"."""
    unit: str
    marks: tuple[Mark, ...]

    @property
    def is_distance(self) -> bool:
        """A total variation distance, not a shift in cycles."""
        return self.unit == "1"


NOTHING: Final = "-"


def measures_of(run: Run) -> list[Measure]:
    """The measures of the fidelity table with the strategies that lose records, or all of them."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in run.fidelity.to_pylist():
        rows.setdefault(row["measure"], []).append(row)
    order = {name: place for place, name in enumerate(strategies_of(run))}
    return [_measure(name, rows[name], order) for name in MEASURES if name in rows]


def kept_whole(run: Run) -> list[str]:
    """The strategies of the fidelity table that lose no record that is compared."""
    lossy: set[str] = set()
    seen: dict[str, None] = {}
    for row in run.fidelity.to_pylist():
        name = printable(row["strategy"])
        seen[name] = None
        if row["surviving"] < row["records"]:
            lossy.add(name)
    return [name for name in seen if name not in lossy]


def render_measure(value: float, unit: str) -> str:
    """A distance with three significant digits, a shift with its sign and its unit."""
    if not value:
        return "0"
    if unit == "1":
        return f"{value:.3g}" if value >= 0.0001 else "<0.0001"
    return f"{value:+,.1f} {unit}".replace(".0 ", " ")


def _measure(name: str, rows: list[dict[str, Any]], order: dict[str, int]) -> Measure:
    lossy = [_mark(row) for row in rows if row["surviving"] < row["records"]]
    lossy.sort(key=lambda mark: order.get(mark.strategy, len(order)))
    basis = f" ({printable(rows[0]['basis'])})" if name == "pc" else ""
    return Measure(name, TITLES[name] + basis, rows[0]["unit"], tuple(lossy))


def _mark(row: dict[str, Any]) -> Mark:
    return Mark(
        printable(row["strategy"]),
        row["value"],
        row["noise_p95"],
        bool(row["is_skewed"]),
        row["records"],
        row["surviving"],
        row["unit"],
    )
