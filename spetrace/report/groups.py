"""The comparison's tables: groups of columns over the strategies, every cell worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spetrace.report.figures import GROUPS, Counters, Figure, FigureGroup
from spetrace.report.units import render_share

NOT_APPLICABLE = "-"


class Strategy(Protocol):
    """What a row needs to know of its strategy."""

    @property
    def name(self) -> str:
        """The strategy."""

    @property
    def bound(self) -> str | None:
        """Which bound it is, if it is one."""

    @property
    def label(self) -> str:
        """Its name as shown."""


@dataclass(frozen=True)
class Cell:
    """One value as shown, and exactly."""

    text: str
    value: int
    """In the column's unit; of a share, the counter's."""


@dataclass(frozen=True)
class Row:
    """One strategy's cells, in the group's order of columns."""

    strategy: str
    label: str
    bound: str | None
    loses: bool
    """It has discarded or lost records."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """One table: columns that are read together, one row per strategy."""

    title: str
    figures: tuple[Figure, ...]
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    """Counters that are 0 for every strategy and have no column for that reason."""


def compare_groups(
    rows: Mapping[str, Counters], strategies: Sequence[Strategy]
) -> tuple[Group, ...]:
    """The groups over `rows` (strategy to counters, with the derived ones); none without columns."""
    present = [s for s in strategies if s.name in rows]
    groups = (compare_group(group, rows, present) for group in GROUPS)
    return tuple(group for group in groups if group.figures or group.left_out)


def compare_group(
    group: FigureGroup, rows: Mapping[str, Counters], strategies: Sequence[Strategy]
) -> Group:
    """One table over `rows`, a row for each of `strategies`."""
    figures = tuple(
        f for f in group.figures if f.always or any(row[f.counter] for row in rows.values())
    )
    left_out = dict.fromkeys(f.counter for f in group.figures if f not in figures)
    return Group(
        group.title,
        figures,
        tuple(_row(strategy, rows[strategy.name], figures) for strategy in strategies),
        tuple(left_out),
    )


def _row(strategy: Strategy, counters: Counters, figures: Sequence[Figure]) -> Row:
    return Row(
        strategy.name,
        strategy.label,
        strategy.bound,
        bool(counters["lost"] or counters["discarded"]),
        tuple(_cell(figure, counters, strategy.bound == "upper") for figure in figures),
    )


def _cell(figure: Figure, counters: Counters, no_stage2: bool) -> Cell:
    value = counters[figure.counter]
    if figure.share:
        return Cell(render_share(value, counters["records"]), value)
    if no_stage2 and figure.stage2 and not value:
        return Cell(NOT_APPLICABLE, value)
    return Cell(figure.render(value), value)
