"""The charts of a profile's page: latencies, data addresses over time, sample rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from spetrace.report.plotly_page import Chart
from spetrace.report.profile_chart_data import (
    Lane,
    LatencyCurve,
    curves,
    drawn_gaps,
    heat_cells,
    lanes,
)
from spetrace.tables.profile import Profile

_COLOURS: Final = (
    "#4c78a8", "#54a24b", "#b79a20", "#f58518", "#e45756", "#b279a2", "#9d755d", "#3ba7a0",
    "#e377c2", "#8c8c8c", "#7f7fff", "#bcbd22",
)  # fmt: skip
_LOSS: Final = "#d62728"
_HEAT: Final = ((0.0, "#9ecae1"), (0.5, "#3182bd"), (0.8, "#e6550d"), (1.0, "#b30000"))
_CURVE_ALPHA, _LANE_ALPHA, _GAP_ALPHA = "22", "66", "88"
_TIME_AXIS: Final = {"title": {"text": "time since the first sample"}, "ticksuffix": "s"}
_FRAME: Final = {"dragmode": False, "margin": {"l": 64, "r": 16, "t": 36, "b": 48}}
"""A swipe over a chart scrolls the page; the buttons, for which there is room above, zoom."""
_LANE_PIXELS: Final = 34
_LANE_HEIGHT: Final = 0.9


@dataclass(frozen=True)
class Drawing:
    """A chart with its title and a sentence on what is drawn."""

    title: str
    caption: str
    chart: Chart


def draw_charts(profile: Profile) -> list[Drawing]:
    """The charts that there is data for."""
    return [*_latencies(profile), *_addresses(profile), *_rates(profile)]


def _latencies(profile: Profile) -> Iterator[Drawing]:
    found, merged = curves(profile.latency_counts)
    if not found:
        return
    more = f" {merged:,} sources with the fewest samples are drawn as one." if merged else ""
    caption = (
        "Total latency of loads by data source, and of stores; each in percent of its own samples "
        f"(their number is in the legend), in four bins per doubling.{more}"
    )
    layout = {
        **_FRAME,
        "xaxis": {"title": {"text": "total latency, cycles"}, "type": "log", "dtick": 1},
        "yaxis": {"title": {"text": "% of the source's samples"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.3},
    }
    traces = [_curve(curve, _colour(n)) for n, curve in enumerate(found)]
    yield Drawing(
        "Latency by data source", caption, Chart("latencies", caption, traces, layout, 470)
    )


def _curve(curve: LatencyCurve, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(f"{curve.name} ({curve.total:,})"),
        "x": curve.cycles,
        "y": curve.percent,
        "customdata": list(zip(curve.ends, curve.samples, strict=True)),
        "line": {"shape": "hv", "color": colour, "width": 2},
        "fill": "tozeroy",
        "fillcolor": colour + _CURVE_ALPHA,
        "hovertemplate": "%{x} to %{customdata[0]} cycles: %{y:.1f} % (%{customdata[1]:,} samples)",
    }


def _addresses(profile: Profile) -> Iterator[Drawing]:
    if profile.heat_map is None:
        return
    cells = heat_cells(profile.heat_map)
    trace = {
        "type": "heatmap",
        "x": cells.seconds,
        "y": cells.ranges,
        "z": cells.logarithms,
        "customdata": cells.samples,
        "colorscale": _HEAT,
        "hovertemplate": "%{x}, %{y}: %{customdata:,} samples<extra></extra>",
        "colorbar": {
            "title": {"text": "samples"},
            "tickvals": cells.ticks,
            "ticktext": cells.tick_labels,
            "thickness": 12,
        },
    }
    rows = {"type": "category", "tickvals": cells.region_ranges, "ticktext": cells.region_labels}
    caption = (
        f"Sampled loads and stores by data virtual address and time, {cells.rows:,} rows of "
        f"addresses by {cells.columns:,} columns of {cells.column_time}. Addresses without samples "
        "between regions are left out; a label names where a region begins."
    )
    layout = {**_FRAME, "xaxis": _TIME_AXIS, "yaxis": rows}
    yield Drawing(
        "Data addresses over time", caption, Chart("addresses", caption, [trace], layout, 520)
    )


def _rates(profile: Profile) -> Iterator[Drawing]:
    drawn, whole = lanes(profile)
    if not drawn:
        return
    gaps, all_gaps = drawn_gaps(profile, drawn)
    highest = max(1.0, *(lane.peak for lane in drawn))
    traces = [
        trace
        for place, lane in enumerate(drawn)
        for trace in _lane(lane, place, _LANE_HEIGHT / highest)
    ]
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": gaps.x,
            "y": gaps.y,
            "fill": "toself",
            "line": {"color": _LOSS, "width": 1.5},
            "fillcolor": _LOSS + _GAP_ALPHA,
            "hoveron": "fills",
            "text": "gap: not all could be recorded",
            "hoverinfo": "text",
        }
    )
    caption = (
        f"Samples per second of each AUX stream over time; a lane is {highest / _LANE_HEIGHT:,.0f} "
        f"samples per second high. Red: what the recording lost, {gaps.count:,} of {all_gaps:,} "
        "gaps drawn."
    )
    if len(drawn) < whole:
        caption += f" {len(drawn):,} of {whole:,} streams are drawn, those with the most samples."
    layout = {
        **_FRAME,
        "showlegend": False,
        "xaxis": _TIME_AXIS,
        "yaxis": {
            "tickvals": list(range(len(drawn))),
            "ticktext": [escape(lane.name) for lane in drawn],
            "range": [-0.1, len(drawn)],
        },
    }
    height = max(240, 110 + _LANE_PIXELS * len(drawn))
    yield Drawing("Sample rate", caption, Chart("rates", caption, traces, layout, height))


def _lane(lane: Lane, place: int, scale: float) -> list[dict[str, Any]]:
    """A lane's ground line, and its rate above it."""
    colour = _colour(place)
    ground = {
        "type": "scatter",
        "mode": "lines",
        "x": [lane.seconds[0], lane.seconds[-1]],
        "y": [place, place],
        "line": {"color": colour, "width": 0.5},
        "hoverinfo": "skip",
    }
    rate = {
        "type": "scatter",
        "mode": "lines",
        "x": lane.seconds,
        "y": [round(place + value * scale, 4) for value in lane.rates],
        "customdata": list(zip(map(round, lane.rates), lane.samples, strict=True)),
        "line": {"shape": "hv", "color": colour, "width": 1},
        "fill": "tonexty",
        "fillcolor": colour + _LANE_ALPHA,
        "hovertemplate": f"{escape(lane.name)}, %{{x}}: %{{customdata[0]:,}} samples/s "
        "(%{customdata[1]:,} samples)<extra></extra>",
    }
    return [ground, rate]


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]
