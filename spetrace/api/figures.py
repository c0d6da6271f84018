"""Charts as plotly figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spetrace.report.plotly_page import Chart, figure_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Figure


def figure(chart: Chart | None, what: str) -> Figure:
    """The chart; where there is none, a figure that says there is no `what`."""
    return figure_of(chart or _empty(what))


def _empty(what: str) -> Chart:
    text = f"no {what}"
    axis = {"visible": False}
    layout = {
        "annotations": [{"text": text, "showarrow": False, "xref": "paper", "yref": "paper"}],
        "xaxis": axis,
        "yaxis": axis,
    }
    return Chart("empty", text, [], layout, 120)
