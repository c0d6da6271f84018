"""Chart: where the records went, a stacked bar of outcomes per strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from spetrace.report.charts.series import bounds_of
from spetrace.report.counters import totals
from spetrace.report.plotly_page import PALETTE, Chart
from spetrace.report.units import render_share
from spetrace.tables.results import COUNTERS, OUTCOMES
from spetrace.tables.run import Run

_COLOURS: Final = {
    "captured": PALETTE[2],
    "discarded": PALETTE[1],
    "lost_fault": "#e2708a",
    "lost_blackout": PALETTE[4],
    "lost_stopped": PALETTE[5],
    "lost_full": PALETTE[7],
    "not_profiled": PALETTE[6],
}
_BAR: Final = 26


def outcome_bars(run: Run) -> Chart | None:
    """Each strategy's records by outcome, in percent of all; None where there are no records."""
    total = totals(run)
    if not any(row["records"] for row in total.values()):
        return None
    bounds = bounds_of(run)
    labels = [escape(f"{name} [{bounds[name]}]" if bounds.get(name) else name) for name in total]
    rows = list(total.values())
    present = [name for name in OUTCOMES if any(row[name] for row in rows)]
    return Chart(
        name="outcomes",
        title="Where the records went",
        alt="Records by outcome per strategy, as stacked bars",
        caption="In percent of all sample records; "
        + "; ".join(f"{_words(name)}: {COUNTERS[name][0]}" for name in present)
        + ".",
        traces=[_trace(name, labels, rows) for name in present],
        layout={
            "uniformtext": {"minsize": 9, "mode": "hide"},
            "margin": {"l": 64, "r": 16, "t": 48, "b": 8},
            "barmode": "stack",
            "showlegend": True,
            "bargap": 0.25,
            "xaxis": {"range": [0, 100], "ticksuffix": " %", "side": "top"},
            "yaxis": {"type": "category", "autorange": "reversed", "ticklabelstandoff": 4},
        },
        height=110 + _BAR * len(labels),
    )


def _trace(name: str, labels: list[str], rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    counts = [row[name] for row in rows]
    shares = [render_share(row[name], row["records"]) if row["records"] else "0" for row in rows]
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "name": _words(name),
        "y": labels,
        "x": [round(100 * row[name] / max(1, row["records"]), 6) for row in rows],
        "customdata": [list(pair) for pair in zip(counts, shares, strict=True)],
        "marker": {"color": _COLOURS[name]},
        "hovertemplate": f"%{{y}}<br>{_words(name)}: %{{customdata[0]:,}} records "
        "(%{customdata[1]} %)<extra></extra>",
    }
    if name == "captured":
        trace |= {
            "text": [f"{share} %" for share in shares], "textposition": "inside",
            "insidetextanchor": "start", "textangle": 0, "insidetextfont": {"color": "#ffffff"},
        }  # fmt: skip
    return trace


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")
