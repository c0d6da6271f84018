"""The tables of a sweep's report, as headings and rows of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spetrace.report.sweep_effects import PLACEMENT, Effect
from spetrace.report.sweep_measures import MEASURES, Measure
from spetrace.report.sweep_percentiles import PlacedResult
from spetrace.report.sweep_view import SweepView

ROWS: Final = 200
"""Rows of one table; report.json has all."""


@dataclass(frozen=True)
class TextTable:
    """A table of strings; the first columns, `texts` of them, are words, the others numbers."""

    title: str
    note: str
    headings: tuple[str, ...]
    texts: int
    rows: tuple[tuple[str, ...], ...]


def tables_of(view: SweepView) -> Iterator[TextTable]:
    """The tables that have rows."""
    for measure in MEASURES:
        table = _effects(view, measure)
        if table.rows:
            yield table
    for measure in MEASURES:
        table = _percentiles(view, measure)
        if table.rows:
            yield table


def _effects(view: SweepView, measure: Measure) -> TextTable:
    several = len(view.captures) > 1
    effects = [
        e
        for capture in view.captures
        for strategy in view.strategies
        for e in view.effects_on(measure, capture, strategy)
        if e.widest > 0
    ]
    rows = [
        (
            *([e.capture] if several else []),
            e.strategy,
            e.parameter,
            *_ends(view, e),
            measure.render(e.widest),
        )
        for e in effects[:ROWS]
    ]
    heads = (*(["capture"] if several else []), "strategy", "parameter", "least", "most", "widest")
    same = (
        "least and most are medians over the values of all other parameters, widest is the most that "
        "the parameter changes alone. Strategies and parameters that are not listed stay the same. "
    )
    note = f"{same}{_cut(len(effects))}" if effects else same
    return TextTable(
        f"What matters: {measure.title.lower()}", note, heads, 3 if several else 2, tuple(rows)
    )


def _ends(view: SweepView, effect: Effect) -> tuple[str, str]:
    """Least and most, with the values that give them where they differ."""
    ends = ((effect.low, effect.low_at), (effect.high, effect.high_at))
    texts = [effect.measure.render(number) for number, _at in ends]
    if effect.width > 0:
        values = [view.rendered(effect.parameter, at) for _number, at in ends]
        texts = [f"{text} ({value})" for text, value in zip(texts, values, strict=True)]
    return texts[0], texts[1]


def _percentiles(view: SweepView, measure: Measure) -> TextTable:
    several = len(view.captures) > 1
    moving = [p for p in view.percentiles if _varies(p, measure)]
    rows = tuple(_percentile_row(view, p, measure, several) for p in moving[:ROWS])
    heads = [*(["capture"] if several else []), *(each.name for each in view.swept), "strategy"]
    note = (
        "Over the placements of each point. What is the same at every placement is not listed. "
        + _cut(len(moving))
    )
    title = f"Placements: {measure.title.lower()}"
    return TextTable(title, note, (*heads, "p5", "p50", "p95"), len(heads), rows)


def _varies(result: PlacedResult, measure: Measure) -> bool:
    spread = result.spread(measure)
    return spread is not None and spread.p5 != spread.p95


def _percentile_row(
    view: SweepView, result: PlacedResult, measure: Measure, several: bool
) -> tuple[str, ...]:
    row = [result.capture] if several else []
    row += [each.render(result.point[each.name]) for each in view.swept]
    row.append(result.strategy)
    row += map(measure.render, vars(result.spread(measure)).values())
    return tuple(row)


def _cut(rows: int) -> str:
    return f"The first {ROWS} of {rows:,} rows; report.json has all." if rows > ROWS else ""


def name_of(parameter: str) -> str:
    """A parameter as charts and tables name it."""
    return "placement (p5 to p95)" if parameter == PLACEMENT else parameter
