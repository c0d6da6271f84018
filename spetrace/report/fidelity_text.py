"""Profile fidelity in plain text: two lines per strategy, its values and the noise beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spetrace.report.charts.fidelity_marks import NOTHING, Mark, Measure

TITLE: Final = "Profile fidelity"
NOISE: Final = "  noise"
_SKEWED: Final = "*"
_NO_LOSS: Final = "0"
_HEADING_WIDTH: Final = 9
_ABOUT: Final = (
    "Captured records against all: total variation distance (0: the same profile, 1: disjoint), and "
    "the shift of total latency. Noise is the 95th percentile of random losses of the same size; "
    f"what passes it is skewed ({_SKEWED})."
)
_WHOLE: Final = "No strategy loses a record that can be compared."
_LEFT_OUT: Final = "Strategies that are not listed lose no record."


@dataclass(frozen=True)
class FidelityText:
    """A table, and what is said of it; without rows it is the notes alone."""

    notes: tuple[str, ...]
    headings: tuple[tuple[str, ...], ...] = ()
    """Per column its lines; the first is that of strategies."""
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def widths(self) -> list[int]:
        """The widest text of each column."""
        return [
            max(map(len, (*heading, *(row[i] for row in self.rows))))
            for i, heading in enumerate(self.headings)
        ]


def fidelity_text(measures: Sequence[Measure], left_out: str) -> FidelityText | None:
    """What a report shows of `measures`, or why there are none; None where none were asked for."""
    if not measures:
        return FidelityText((f"Not compared: {left_out}.",)) if left_out else None
    strategies = list(dict.fromkeys(m.strategy for each in measures for m in each.marks))
    if not strategies:
        return FidelityText((_WHOLE,))
    shown = [measure for measure in measures if measure.marks]
    by_strategy = [{mark.strategy: mark for mark in measure.marks} for measure in shown]
    rows = (
        row
        for strategy in strategies
        for row in _rows(strategy, [marks.get(strategy) for marks in by_strategy])
    )
    headings = ((), *map(_heading, shown))
    return FidelityText((_ABOUT, _LEFT_OUT), headings, tuple(rows))


def _heading(measure: Measure) -> tuple[str, ...]:
    """The title in short lines, what is in parentheses on lines of its own, and the unit."""
    parts = measure.title.replace(" (", "\n(").splitlines()
    lines = [
        line
        for part in parts
        for line in textwrap.wrap(part, _HEADING_WIDTH, break_long_words=False)
    ]
    return (*lines, *(() if measure.is_distance else (measure.unit,)))


def _rows(strategy: str, marks: Sequence[Mark | None]) -> list[tuple[str, ...]]:
    return [(strategy, *map(_value, marks)), (NOISE, *map(_noise, marks))]


def _value(mark: Mark | None) -> str:
    """A cell; a blank stands where others have the sign of what is skewed.

    A strategy without a mark loses none of the records that have what is measured.
    """
    if mark is None:
        return f"{_NO_LOSS} "
    return _without_unit(mark.text, mark) + (_SKEWED if mark.is_skewed else " ")


def _noise(mark: Mark | None) -> str:
    if mark is None:
        return f"{_NO_LOSS} "
    if mark.value is None:
        return f"{NOTHING} "
    return f"{_without_unit(mark.noise, mark)} "


def _without_unit(text: str, mark: Mark) -> str:
    return text.removesuffix(f" {mark.unit}")
