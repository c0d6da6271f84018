"""Chart: what losing records does to the profile, beside the noise of random losses."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from spetrace.report.charts.fidelity_marks import Mark, Measure, kept_whole, measures_of
from spetrace.report.plotly_page import PALETTE, Chart, Choice
from spetrace.report.wording import count_of, join_names
from spetrace.tables.run import Run

_ROW: Final = 30


def fidelity_chart(run: Run) -> Chart | None:
    """Per strategy that loses records a mark on its noise, for one measure at a time; else None."""
    measures = [measure for measure in measures_of(run) if measure.marks]
    if not measures:
        return None
    traces = [trace for measure in measures for trace in _traces(measure)]
    per_measure = len(traces) // len(measures)
    choices = [
        Choice(m.title, tuple(range(n * per_measure, (n + 1) * per_measure)), _note(m))
        for n, m in enumerate(measures)
    ]
    rows = max(len(measure.marks) for measure in measures)
    return Chart(
        name="fidelity",
        title="Profile fidelity",
        alt="How far the surviving records are from all records, beside the noise of random losses",
        caption=" ".join(_caption(run)),
        traces=traces,
        layout={
            "margin": {"l": 64, "r": 16, "t": 32, "b": 32},
            "barmode": "overlay",
            "showlegend": True,
            "bargap": 0.4,
            "xaxis": {"zeroline": True, "rangemode": "tozero"},
            "yaxis": {"type": "category", "autorange": "reversed", "ticklabelstandoff": 4},
        },
        height=126 + _ROW * rows,
        choices=tuple(choices),
        asked="Compared",
    )


def _traces(measure: Measure) -> list[dict[str, Any]]:
    """The noise, the values within it and those beyond."""
    marks = measure.marks
    highs = [mark.noise_p95 or 0.0 for mark in marks]
    lows = [0.0 if measure.is_distance else -high for high in highs]
    noise = {
        "type": "bar",
        "orientation": "h",
        "name": "noise (95 % of random losses)",
        "y": [escape(mark.strategy) for mark in marks],
        "base": lows,
        "x": [high - low for high, low in zip(highs, lows, strict=True)],
        "marker": {"color": "--soft", "opacity": 0.35},
        "text": [_hover(mark) for mark in marks],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    within = [mark for mark in marks if mark.value is not None and not mark.is_skewed]
    beyond = [mark for mark in marks if mark.value is not None and mark.is_skewed]
    return [
        noise,
        _dots(within, "within noise", {"color": PALETTE[2], "size": 11, "symbol": "circle"}),
        _dots(beyond, "skewed", {"color": "--loss", "size": 12, "symbol": "diamond"}),
    ]


def _dots(marks: list[Mark], name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "y": [escape(mark.strategy) for mark in marks],
        "x": [mark.value for mark in marks],
        "text": [_hover(mark) for mark in marks],
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hover(mark: Mark) -> str:
    return (
        f"<b>{escape(mark.strategy)}</b><br>{mark.text}, noise up to {mark.noise}<br>"
        f"{mark.surviving:,} of {mark.records:,} records survive"
    )


def _note(measure: Measure) -> str:
    what = "total variation distance" if measure.is_distance else f"shift in {measure.unit}"
    skewed = sum(mark.is_skewed for mark in measure.marks)
    return f"{what}; {skewed} of {count_of(len(measure.marks), 'strategy')} skewed"


def _caption(run: Run) -> list[str]:
    parts = [
        "The records that survive a strategy compared with all of them. Total variation distance: "
        "0 is the same distribution, 1 a disjoint one. Grey: what random losses of the same size do "
        "in 95 % of cases; skewed is what goes beyond."
    ]
    if whole := kept_whole(run):
        parts.append(f"No record to compare is lost by {join_names(whole)}.")
    return parts
