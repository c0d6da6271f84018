"""An HTML page with plotly charts that needs nothing but itself: plotly.js is within it.

A chart is plain data, as plotly.js takes it; the page gives it the colours of the reader's theme.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from spetrace.report.html_style import STYLE

PALETTE = ("#3b7dd8", "#d9822b", "#3a9d6e", "#b04a9a", "#c0453b", "#7a6bc9", "#8a8f98", "#b5a432")
"""Colours of series, told apart on light and on dark ground."""


@dataclass(frozen=True)
class Chart:
    """One chart: its name in the page, a sentence for those who can't see it, traces and layout."""

    name: str
    alt: str
    traces: Sequence[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 320


def place_chart(chart: Chart) -> str:
    """The element that the chart is drawn into."""
    return (
        f'<div class="chart" id="{escape(chart.name)}" role="img" '
        f'aria-label="{escape(chart.alt)}" style="height:{chart.height}px"></div>'
    )


def render_page(title: str, body: str, charts: Sequence[Chart], style: str = "") -> str:
    """The whole page; `body` is HTML that holds a place for each chart, `style` more CSS."""
    from plotly.offline import get_plotlyjs

    data = [{"name": c.name, "data": list(c.traces), "layout": c.layout} for c in charts]
    parts = {
        "TITLE": escape(title),
        "STYLE": STYLE + _STYLE + style,
        "BODY": body,
        "LIBRARY": get_plotlyjs() if charts else "",
        "CHARTS": _script_json(data),
        "SCRIPT": _SCRIPT if charts else "",
    }
    return re.sub("@([A-Z]+)@", lambda mark: parts[mark[1]], _PAGE)


def _script_json(value: Any) -> str:
    """JSON that no text in it can end the script element of."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


_STYLE = """
.chart { width: 100%; margin: 0.5rem 0 1rem; }
.listing th, .listing td { text-align: right; white-space: nowrap; }
.listing .text { text-align: left; }
.listing tbody tr:hover > * { background: var(--band); }
@media print { .chart { break-inside: avoid; } }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>@TITLE@</title>
<style>@STYLE@</style>
</head>
<body>
@BODY@
<script>@LIBRARY@</script>
<script type="application/json" id="charts">@CHARTS@</script>
<script>@SCRIPT@</script>
</body>
</html>
"""
_SCRIPT = """
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  // Without plotly's button that sends a chart to its makers' server.
  const CONFIG = {displaylogo: false, responsive: true, showSendToCloud: false};
  const axes = ["xaxis", "yaxis", "xaxis2", "yaxis2"];
  const themed = ({data, layout}) => {
    const legend = data.length > 1 && layout.showlegend !== false;
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(name).trim();
    const result = {
      margin: {l: 64, r: 16, t: 32, b: legend ? 96 : 56},
      legend: {orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom",
               traceorder: "normal"},
      hovermode: "closest", ...layout,
      paper_bgcolor: colour("--ground"), plot_bgcolor: colour("--ground"),
      font: {family: "system-ui, sans-serif", size: 13, color: colour("--text")},
      hoverlabel: {bgcolor: colour("--band"), bordercolor: colour("--line"),
                   font: {color: colour("--text")}},
    };
    for (const axis of axes.filter((name) => name in layout || !name.endsWith("2"))) {
      result[axis] = {automargin: true, ...layout[axis], gridcolor: colour("--line"),
                      linecolor: colour("--line"), zerolinecolor: colour("--line")};
    }
    return result;
  };
  const draw = () => charts.forEach((chart) => Plotly.react(
    chart.name, chart.data, themed(chart), CONFIG));
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
"""
