"""How the profile fidelity of two runs differs: per strategy and measure the distances of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spetrace.report.wording import printable
from spetrace.tables.run import Run

_ABSENT = "-"


@dataclass(frozen=True)
class FidelityDifference:
    """One measure of one strategy in both runs."""

    strategy: str
    measure: str
    unit: str
    """1 (total variation distance) or cycles."""
    a: float | None
    """Distance of the surviving records from all; None where none survives."""
    b: float | None
    skewed_a: bool | None
    """Whether that is more than the noise of a random loss of the same size."""
    skewed_b: bool | None

    HEADINGS = ("strategy", "measure", "A", "B", "difference")

    @property
    def difference(self) -> float | None:
        """B - A; None where either is."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def is_changed(self) -> bool:
        """Whether the values or what is said of them differ."""
        return (self.a, self.skewed_a) != (self.b, self.skewed_b)

    @property
    def cells(self) -> tuple[str, ...]:
        """Under HEADINGS."""
        values = (
            f"{self._text(value)}{' skewed' if skewed else ''}"
            for value, skewed in ((self.a, self.skewed_a), (self.b, self.skewed_b))
        )
        change = self.difference
        signed = _ABSENT if change is None else f"{'+' if change > 0 else ''}{self._text(change)}"
        return (self.strategy, self.measure, *values, signed)

    def _text(self, value: float | None) -> str:
        if value is None:
            return _ABSENT
        if self.unit == "1":
            return f"{value:.4f}"
        return f"{value:,.1f} {self.unit}".replace(".0 ", " ")


def fidelity_differences(a: Run, b: Run) -> tuple[FidelityDifference, ...]:
    """The measures that both runs have of a strategy, in the order of the first."""
    others = dict(_rows(b))
    return tuple(
        FidelityDifference(
            strategy=printable(strategy),
            measure=printable(measure),
            unit=printable(row["unit"]),
            a=row["value"],
            b=others[strategy, measure]["value"],
            skewed_a=row["is_skewed"],
            skewed_b=others[strategy, measure]["is_skewed"],
        )
        for (strategy, measure), row in _rows(a)
        if (strategy, measure) in others
    )


def _rows(run: Run) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for row in run.fidelity.to_pylist():
        yield (row["strategy"], row["measure"]), row
