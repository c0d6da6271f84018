"""What a sweep comes to: every number and sentence of its report, computed once; formats only draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace.report.sweep_effects import PLACEMENT, Effect, find_effects
from spetrace.report.sweep_flips import flip_sentences
from spetrace.report.sweep_measures import MEASURES, Measure, Swept, cells, measured, swept_of
from spetrace.report.sweep_percentiles import PlacedResult, find_percentiles
from spetrace.report.sweep_ranking import Flip, find_flips
from spetrace.report.wording import count_of, join_names, printable


@dataclass(frozen=True)
class SweepView:
    """A sweep's report in the order in which it is shown."""

    title: str
    answer: tuple[str, ...]
    swept: tuple[Swept, ...]
    captures: tuple[str, ...]
    strategies: tuple[str, ...]
    bounds: tuple[str, ...]
    effects: tuple[Effect, ...]
    flips: tuple[Flip, ...]
    flip_lines: tuple[str, ...]
    """The flips in words."""
    percentiles: tuple[PlacedResult, ...]
    cells: pl.DataFrame
    """A row per capture, strategy and point: medians over placements."""
    assumptions: tuple[tuple[str, str], ...]
    losses: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]

    def effects_on(self, measure: Measure, capture: str, strategy: str) -> list[Effect]:
        """The effects on one measure of one strategy, the widest first."""
        own = (measure.name, capture, strategy)
        return [e for e in self.effects if (e.measure.name, e.capture, e.strategy) == own]

    def rendered(self, parameter: str, value: Any) -> str:
        """A value of a swept parameter, or a percentile of placements, as people read it."""
        if parameter == PLACEMENT:
            return str(value)
        return next(each for each in self.swept if each.name == parameter).render(value)


def view_sweep(totals: pa.Table, facts: Mapping[str, Any]) -> SweepView:
    """All that a report shows; `totals` are the rows of table runs with vm null."""
    swept = swept_of(facts)
    frame = measured(totals, swept)
    about = facts.get("strategies", {})
    bounds = tuple(name for name, each in about.items() if each.get("bound"))
    effects = tuple(find_effects(frame, swept))
    flips = tuple(find_flips(frame, swept, bounds))
    captures = tuple(frame["capture"].unique(maintain_order=True))
    view = SweepView(
        title=_title(facts),
        answer=(),
        swept=swept,
        captures=captures,
        strategies=tuple(frame["strategy"].unique(maintain_order=True)),
        bounds=bounds,
        effects=effects,
        flips=flips,
        flip_lines=tuple(flip_sentences(flips, swept, len(captures) > 1)),
        percentiles=tuple(find_percentiles(frame, swept)),
        cells=cells(frame, swept),
        assumptions=tuple(_assumptions(facts)),
        losses=tuple(_losses(facts)),
        facts=tuple(_facts(facts)),
    )
    return SweepView(**{**vars(view), "answer": tuple(_answer(view))})


def effect_sentence(view: SweepView, effect: Effect) -> str:
    """An effect in words."""
    low, high = (effect.measure.render(v) for v in (effect.low, effect.high))
    low_at, high_at = (view.rendered(effect.parameter, v) for v in (effect.low_at, effect.high_at))
    where = f" on {effect.capture}" if len(view.captures) > 1 else ""
    return f"{effect.strategy}{where} goes from {low} ({low_at}) to {high} ({high_at})"


def _answer(view: SweepView) -> Iterator[str]:
    for measure in MEASURES:
        own = [e for e in view.effects if e.measure is measure and e.strategy not in view.bounds]
        widest = max(own, key=lambda e: e.width, default=None)
        if widest and widest.width > 0:
            yield (
                f"{measure.title}: what matters most is {widest.parameter}; "
                f"{effect_sentence(view, widest)}."
            )
        elif own:
            yield f"{measure.title}: nothing of what was varied matters to any strategy."
    if view.swept and len(set(view.strategies) - set(view.bounds)) > 1:
        yield _flips_in_short(view)


def _flips_in_short(view: SweepView) -> str:
    if not view.flips:
        return "The ranking of the strategies is the same over the whole grid."
    pairs = len({frozenset((f.better_before, f.better_after)) for f in view.flips})
    return (
        f"The ranking flips within the grid for {count_of(pairs, 'pair')} of strategies. "
        f"{view.flip_lines[0]}"
    )


def _title(facts: Mapping[str, Any]) -> str:
    captures = facts.get("captures", [])
    parts = [count_of(facts.get("runs", 0), "run"), count_of(len(captures), "capture")]
    parts.append(count_of(len(facts.get("strategies", {})), "strategy"))
    if facts.get("placements"):
        parts.append(count_of(facts["placements"], "placement"))
    return ", ".join(parts)


def _facts(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if facts.get("command"):
        yield "command", printable(facts["command"])
    for name, values in facts.get("settings", {}).items():
        swept = Swept(name, tuple(values))
        yield name, join_names([swept.render(value) for value in values])
    for capture in facts.get("captures", []):
        for each in capture.get("inputs", []):
            digest = f", SHA-256 {each['sha256']}" if each.get("sha256") else ""
            text = f"{each.get('format')}, {each.get('size_bytes')} bytes{digest}"
            yield f"{printable(capture['name'])}: {printable(each.get('name'))}", printable(text)
    versions = facts.get("versions", {})
    yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def _assumptions(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    captures: Sequence[Mapping[str, Any]] = facts.get("captures", [])
    for capture in captures:
        for each in capture.get("assumptions", []):
            head = f"{printable(capture['name'])}: " if len(captures) > 1 else ""
            yield (
                f"{head}{printable(each['name'])} = {printable(each['value'])}",
                printable(each["text"]),
            )


def _losses(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for capture in facts.get("captures", []):
        for each in capture.get("quality", []):
            name = f"{capture['name']}: {each['counter']} {each['count']:,}"
            text = f"{each['severity'].replace('_', ' ')}; remedy: {each['remedy']}"
            yield printable(name), printable(text)
