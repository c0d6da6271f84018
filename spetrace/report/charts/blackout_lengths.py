"""Chart: how long blackout windows are, a histogram per strategy."""

from __future__ import annotations

import math
from collections.abc import Collection
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.report.charts.reduction import Ints
from spetrace.report.charts.scales import BrokenLog, broken_log, count_axis
from spetrace.report.charts.series import by_strategy, lines_of
from spetrace.report.plotly_page import Chart
from spetrace.report.units import render_time
from spetrace.tables.run import Run

PER_DECADE: Final = 8


def blackout_lengths(run: Run) -> Chart | None:
    """All windows of each strategy by their length; None where there are none."""
    lengths = {
        name: (frame["end_ns"] - frame["start_ns"]).to_numpy().astype(np.int64)
        for name, frame in by_strategy(run, run.blackouts, ["start_ns", "end_ns"])
    }
    if not lengths:
        return None
    edges = length_edges(lengths.values())
    counts = {name: np.histogram(np.maximum(own, 1), edges)[0] for name, own in lengths.items()}
    scale = broken_log([int(count.max()) for count in counts.values()] + [1], 10)
    styles = lines_of(run)
    return Chart(
        name="blackout-lengths",
        title="Lengths of blackout windows",
        alt="Histogram of the lengths of blackout windows per strategy",
        caption=f"All windows, in {PER_DECADE} bins per power of ten; the scale of their number is "
        "logarithmic with 0 set apart.",
        traces=[_trace(n, c, edges, scale, styles[n]) for n, c in counts.items()],
        layout={
            "xaxis": {
                "title": {"text": "length of the window"}, "type": "log", "ticksuffix": "s",
                "exponentformat": "SI", "dtick": 1,
                "range": [float(np.log10(edges[0] / 1e9)), float(np.log10(edges[-1] / 1e9))],
            },
            "yaxis": count_axis(scale) | {"title": {"text": "windows"}, "range": [0, scale.end]},
        },
        height=400,
    )  # fmt: skip


def length_edges(lengths: Collection[Ints]) -> npt.NDArray[np.float64]:
    """Edges in ns of whole decades and a bin more that hold all lengths, even on a logarithmic scale; a length of 0 counts as 1 ns."""
    shortest = max(1, min(int(own.min()) for own in lengths))
    longest = max(1, *(int(own.max()) for own in lengths))
    first = math.floor(math.log10(shortest))
    last = math.floor(math.log10(longest)) + 1
    powers = np.arange(PER_DECADE * first - 1, PER_DECADE * last + 2) / PER_DECADE
    edges: npt.NDArray[np.float64] = 10.0**powers
    return edges


def _trace(
    name: str, counts: Ints, edges: npt.NDArray[np.float64], scale: BrokenLog, style: dict[str, str]
) -> dict[str, Any]:
    """A step line, filled: bin by bin from its lower edge."""
    filled = {"fill": "tozeroy", "fillcolor": style["color"] + "22"}
    ends = [render_time(round(edge)) for edge in edges.tolist()]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": [float(f"{edge / 1e9:.6g}") for edge in edges.tolist()],
        "y": scale.positions([*counts.tolist(), 0]).tolist(),
        "text": [f"{n:,}" for n in counts.tolist()] + ["0"],
        "customdata": list(zip(ends, [*ends[1:], ends[-1]], strict=True)),
        "line": {"shape": "hv", "width": 2, **style},
        **(filled if style["color"].startswith("#") else {}),
        "hovertemplate": "%{customdata[0]} to %{customdata[1]}: %{text} windows",
    }
