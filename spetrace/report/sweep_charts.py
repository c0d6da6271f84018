"""The charts of a sweep's report, as plotly.js takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Any, Final

import polars as pl

from spetrace.report.plotly_page import PALETTE, Chart, Choice
from spetrace.report.sweep_effects import Effect
from spetrace.report.sweep_measures import MEASURES, Measure, Swept
from spetrace.report.sweep_tables import name_of
from spetrace.report.sweep_view import SweepView
from spetrace.report.wording import join_names

_CHOICES: Final = 120
"""Most pictures of one chart."""
_BAR: Final = 46
_SCALES: Final = {"captured_share": 1.0, "overhead_ns": 1e6, "pinned_bytes_peak": float(1 << 20)}
_AXES: Final = {
    "captured_share": "captured records, %",
    "overhead_ns": "overhead, ms",
    "pinned_bytes_peak": "peak of pinned memory, MiB",
}


def tornados(view: SweepView) -> Iterator[Chart]:
    """Per measure the effects of all parameters on a strategy, the widest on top."""
    for measure in MEASURES:
        pictures = []
        for capture, strategy in product(view.captures, view.strategies):
            effects = view.effects_on(measure, capture, strategy)
            if any(effect.width > 0 for effect in effects):
                pictures.append((_label(view, capture, strategy), effects))
        pictures.sort(key=lambda p: (p[1][0].strategy in view.bounds, -p[1][0].width))
        if pictures:
            yield _tornado(view, measure, pictures[:_CHOICES])


def _tornado(
    view: SweepView, measure: Measure, pictures: Sequence[tuple[str, list[Effect]]]
) -> Chart:
    scale = _SCALES[measure.name]
    moving = [[effect for effect in effects if effect.width > 0] for _label_, effects in pictures]
    traces = [_bars(view, effects, scale) for effects in moving]
    rows = max(map(len, moving))
    return Chart(
        f"tornado-{measure.name}",
        f"{measure.title}: the effect of each parameter's range",
        traces,
        {
            "xaxis": {"title": {"text": _AXES[measure.name]}},
            "yaxis": {"type": "category"},
            "showlegend": False,
            "bargap": 0.35,
        },
        height=130 + _BAR * rows,
        caption="From the least to the most of the medians over all other parameters, a bar per "
        "parameter, with its values at both ends. The strategy with the widest bar comes first.",
        choices=tuple(
            Choice(label, (place,), _without_effect(effects))
            for place, (label, effects) in enumerate(pictures)
        ),
        asked="Strategy",
    )


def _without_effect(effects: Sequence[Effect]) -> str:
    names = [name_of(effect.parameter) for effect in effects if not effect.width]
    return f"Without effect: {join_names(names)}." if names else ""


def _bars(view: SweepView, effects: Sequence[Effect], scale: float) -> dict[str, Any]:
    shown = list(reversed(effects))
    measure = shown[0].measure
    ends = [[view.rendered(e.parameter, at) for at in (e.low_at, e.high_at)] for e in shown]
    return {
        "type": "bar",
        "orientation": "h",
        "y": [name_of(e.parameter) for e in shown],
        "base": [e.low / scale for e in shown],
        "x": [e.width / scale for e in shown],
        "marker": {"color": PALETTE[0]},
        "text": [f"{low} \u2192 {high}" for low, high in ends],
        "textposition": "auto",
        "cliponaxis": False,
        "customdata": [
            [measure.render(e.low), low, measure.render(e.high), high, measure.render(e.widest)]
            for e, (low, high) in zip(shown, ends, strict=True)
        ],
        "hovertemplate": "%{y}<br>%{customdata[0]} at %{customdata[1]}<br>%{customdata[2]} at "
        "%{customdata[3]}<br>most at any setting: %{customdata[4]}<extra></extra>",
    }


def heat_maps(view: SweepView) -> Iterator[Chart]:
    """Per measure maps over each pair of parameters that both matter to a strategy."""
    for measure in MEASURES:
        maps = []
        for capture, strategy in product(view.captures, view.strategies):
            effects = view.effects_on(measure, capture, strategy)
            names = [e.parameter for e in effects if e.widest > 0]
            matter = [each for each in view.swept if each.name in names]
            bound = strategy in view.bounds
            for pair in combinations(matter, 2):
                label = f"{_label(view, capture, strategy)}: {pair[0].name}, {pair[1].name}"
                width = sum(e.widest for e in effects if e.parameter in (p.name for p in pair))
                trace = _map(view, measure, capture, strategy, pair)
                maps.append(((bound, -width), label, trace))
        if maps:
            maps.sort(key=lambda each: each[0])
            yield _maps(measure, [(label, trace) for _order, label, trace in maps])


def _maps(measure: Measure, maps: Sequence[tuple[str, dict[str, Any]]]) -> Chart:
    shown = maps[:_CHOICES]
    cut = f" The first {_CHOICES} of {len(maps)} are here." if len(maps) > _CHOICES else ""
    return Chart(
        f"map-{measure.name}",
        f"{measure.title} over pairs of parameters",
        [trace for _label_, trace in shown],
        {
            "xaxis": {"type": "category"},
            "yaxis": {"type": "category"},
            "showlegend": False,
        },
        height=380,
        caption=f"{_AXES[measure.name].capitalize()}: the median over all other parameters; brighter "
        f"is better. Only pairs that both matter are here.{cut}",
        choices=tuple(Choice(label, (place,)) for place, (label, _) in enumerate(shown)),
        asked="Strategy and parameters",
    )


def _map(
    view: SweepView, measure: Measure, capture: str, strategy: str, pair: tuple[Swept, Swept]
) -> dict[str, Any]:
    across, up = pair
    own = view.cells.filter(pl.col("capture") == capture, pl.col("strategy") == strategy)
    medians = own.group_by(across.column, up.column).agg(pl.col(measure.name).median())
    number = {(x, y): value for x, y, value in medians.iter_rows()}
    scale = _SCALES[measure.name]
    grid = [[number.get((x, y)) for x in across.values] for y in up.values]
    return {
        "type": "heatmap",
        "x": [f"{across.name} {across.render(x)}" for x in across.values],
        "y": [f"{up.name} {up.render(y)}" for y in up.values],
        "z": [[None if v is None else v / scale for v in row] for row in grid],
        "text": [["-" if v is None else measure.render(v) for v in row] for row in grid],
        "texttemplate": "%{text}",
        "hovertemplate": "%{x}<br>%{y}<br>%{text}<extra></extra>",
        "colorscale": "Viridis",
        "reversescale": not measure.higher_is_better,
    }


def placement_charts(view: SweepView) -> Iterator[Chart]:
    """Per measure p5, p50 and p95 of all strategies, point by point."""
    for measure in MEASURES:
        points: dict[str, list[tuple[str, float, float, float]]] = {}
        for result in view.percentiles:
            spread = result.spread(measure)
            if spread:
                values = [each.render(result.point[each.name]) for each in view.swept]
                named = [f"{s.name} {v}" for s, v in zip(view.swept, values, strict=True)]
                head = [result.capture] if len(view.captures) > 1 or not named else []
                row = (result.strategy, spread.p5, spread.p50, spread.p95)
                points.setdefault(", ".join([*head, *named]), []).append(row)
        if any(p5 != p95 for rows in points.values() for _, p5, _, p95 in rows):
            yield _placements(measure, points)


def _placements(
    measure: Measure, points: dict[str, list[tuple[str, float, float, float]]]
) -> Chart:
    scale = _SCALES[measure.name]
    shown = list(points.items())[:_CHOICES]
    cut = f" The first {_CHOICES} of {len(points)} points." if len(points) > _CHOICES else ""
    most = max(len(rows) for _label_, rows in shown)
    return Chart(
        f"placements-{measure.name}",
        f"{measure.title}: p5, p50 and p95 over placements",
        [_intervals(rows[::-1], scale, measure) for _label_, rows in shown],
        {
            "xaxis": {"title": {"text": _AXES[measure.name]}},
            "yaxis": {"type": "category"},
            "showlegend": False,
        },
        height=130 + 28 * most,
        caption=f"The median over placements, with p5 and p95 as the line's ends.{cut}",
        choices=tuple(Choice(label, (place,)) for place, (label, _) in enumerate(shown)),
        asked="Point",
    )


def _intervals(
    rows: Sequence[tuple[str, float, float, float]], scale: float, measure: Measure
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "y": [strategy for strategy, *_ in rows],
        "x": [p50 / scale for _, _, p50, _ in rows],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [(p95 - p50) / scale for _, _, p50, p95 in rows],
            "arrayminus": [(p50 - p5) / scale for _, p5, p50, _ in rows],
        },
        "marker": {"color": PALETTE[0], "size": 9},
        "customdata": [[measure.render(v) for v in row[1:]] for row in rows],
        "hovertemplate": "%{y}<br>p5 %{customdata[0]}<br>p50 %{customdata[1]}<br>p95 "
        "%{customdata[2]}<extra></extra>",
    }


def _label(view: SweepView, capture: str, strategy: str) -> str:
    return f"{capture}: {strategy}" if len(view.captures) > 1 else strategy
