"""Chart: blackout windows on a time line per vCPU, and the share of the time that all take."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Final

import numpy as np

from spetrace.report.charts.blackout_windows import (
    BINS,
    BlackoutWindows,
    StrategyWindows,
    Windows,
    blackout_windows,
)
from spetrace.report.charts.scales import TimeScale, time_scale
from spetrace.report.counters import strategies_of
from spetrace.report.plotly_page import PALETTE, Chart, Choice
from spetrace.report.units import render_time
from spetrace.report.wording import count_of, join_names
from spetrace.tables.run import Run

_COLOURS: Final = {"fault": "--loss", "drain": PALETTE[1]}
_LANE_PIXELS: Final = 30
_SHARE_PIXELS, _FRAME_PIXELS, _BETWEEN_PIXELS = 90, 128, 30


def blackout_timeline(run: Run) -> Chart | None:
    """A lane per vCPU, for one strategy at a time; None where there are no blackout windows."""
    if not len(run.blackouts):
        return None
    columns = (run.blackouts[name].to_numpy() for name in ("start_ns", "end_ns"))
    times = time_scale(run, np.concatenate(list(columns)))
    windows = blackout_windows(run, times)
    if windows is None:
        return None
    traces, choices = _traces(windows, times)
    return Chart(
        name="blackouts",
        title="Blackout windows",
        alt="Blackout windows over time, a lane per vCPU, and the share of the time in them",
        caption=" ".join(_caption(run, windows)),
        traces=traces,
        layout=_layout(windows, times),
        height=_FRAME_PIXELS + _SHARE_PIXELS + _BETWEEN_PIXELS + _LANE_PIXELS * len(windows.lanes),
        choices=choices,
        asked="Strategy",
    )


def _traces(
    windows: BlackoutWindows, times: TimeScale
) -> tuple[list[dict[str, Any]], tuple[Choice, ...]]:
    traces: list[dict[str, Any]] = []
    choices = []
    for strategy in sorted(windows.strategies, key=lambda s: -s.total_ns):
        own = [_share(strategy, times), *(_bars(w, times) for w in strategy.drawn)]
        places = tuple(range(len(traces), len(traces) + len(own)))
        choices.append(Choice(strategy.name, places, _note(strategy)))
        traces += own
    return traces, tuple(choices)


def _share(strategy: StrategyWindows, times: TimeScale) -> dict[str, Any]:
    edges = np.round(np.linspace(0, times.seconds_end, BINS + 1), 9)
    percent = np.round(100 * strategy.share, 6).tolist()
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "of all vCPUs' time",
        "x": edges.tolist(),
        "y": [*percent, percent[-1]],
        "yaxis": "y2",
        "line": {"shape": "hv", "width": 1.5, "color": PALETTE[0]},
        "fill": "tozeroy",
        "fillcolor": PALETTE[0] + "33",
        "showlegend": False,
        "hovertemplate": "%{x}: %{y:.3g} % of the time in blackout<extra></extra>",
    }


def _bars(windows: Windows, times: TimeScale) -> dict[str, Any]:
    """Thin outlines keep windows in sight that are narrower than a pixel."""
    colour = _COLOURS.get(windows.cause, PALETTE[6])
    labels = [render_time(length) for length in windows.lengths_ns.tolist()]
    return {
        "type": "bar",
        "orientation": "h",
        "name": escape(windows.cause),
        "base": times.seconds(windows.starts_ns).tolist(),
        "x": np.round(windows.lengths_ns / 1e9, 9).tolist(),
        "y": windows.lanes.tolist(),
        "text": labels,
        "textposition": "none",
        "customdata": windows.records_lost.tolist(),
        "width": 0.7,
        "marker": {"color": colour, "line": {"color": colour, "width": 1}},
        "hovertemplate": "%{base}: %{text}, %{customdata:,} records lost<extra>%{fullData.name}"
        "</extra>",
    }


def _layout(windows: BlackoutWindows, times: TimeScale) -> dict[str, Any]:
    lanes = len(windows.lanes)
    plotted = _SHARE_PIXELS + _BETWEEN_PIXELS + _LANE_PIXELS * lanes
    below = _LANE_PIXELS * lanes / plotted
    return {
        "barmode": "overlay",
        "showlegend": True,
        "xaxis": times.axis() | {"anchor": "y"},
        "yaxis": {
            "tickvals": list(range(lanes)),
            "ticktext": list(windows.lanes),
            "range": [lanes - 0.5, -0.5],
            "domain": [0, round(below, 4)],
            "zeroline": False,
        },
        "yaxis2": {
            "domain": [round(1 - _SHARE_PIXELS / plotted, 4), 1],
            "rangemode": "tozero",
            "ticksuffix": " %",
            "nticks": 4,
            "anchor": "x",
        },
    }


def _note(strategy: StrategyWindows) -> str:
    drawn = sum(len(w.starts_ns) for w in strategy.drawn)
    which = f", {drawn:,} of them drawn: the longest" if drawn < strategy.count else ""
    return f"{count_of(strategy.count, 'window')}, {render_time(strategy.total_ns)} in all{which}"


def _caption(run: Run, windows: BlackoutWindows) -> Iterator[str]:
    yield (
        "Below, each window on its vCPU's line, never thinner than a pixel; above, the share of time "
        f"that all windows take, over the {count_of(windows.all_lanes, 'vCPU')} that "
        f"{'has' if windows.all_lanes == 1 else 'have'} any."
    )
    if windows.drawn < windows.count:
        yield f"{windows.drawn:,} of {windows.count:,} windows drawn: the longest of each strategy."
    if len(windows.lanes) < windows.all_lanes:
        yield (
            f"{len(windows.lanes)} of {windows.all_lanes:,} vCPUs have a line: "
            "those with the most blackout time."
        )
    having = {s.name for s in windows.strategies}
    if without := [name for name in strategies_of(run) if name not in having]:
        yield f"Without blackouts: {join_names(without)}."
