"""An HTML page with plotly charts that needs nothing but itself: plotly.js is within it.

A chart is plain data, as plotly.js takes it; the page gives it the colours of the reader's theme.
A colour that starts with "--" names one of the theme's (THEMES), at any place whose key ends with
"color".
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from spetrace.report.html_style import STYLE, THEMES
from spetrace.report.page_scripts import CHART_SCRIPT, SORT_SCRIPT, THEME_SCRIPT

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PALETTE = (
    "#3b7dd8", "#d9822b", "#3a9d6e", "#b04a9a", "#c0453b", "#7a6bc9", "#8a8f98", "#b5a432",
    "#2a9fb0", "#9d755d", "#e377a2", "#6b8e23",
)  # fmt: skip
"""Colours of series, told apart on light and on dark ground."""


@dataclass(frozen=True)
class Choice:
    """What the reader can choose to see of a chart: the traces with these places in it."""

    label: str
    traces: tuple[int, ...]
    note: str = ""
    """A sentence on what is then drawn."""


@dataclass(frozen=True)
class Chart:
    """One chart: its name in the page, a sentence for those who can't see it, traces and layout."""

    name: str
    alt: str
    traces: Sequence[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 320
    title: str = ""
    caption: str = ""
    """What is drawn, how to read it, and what was reduced."""
    choices: tuple[Choice, ...] = ()
    """The first one's traces are those that are visible; none: all are."""
    asked: str = ""
    """What is chosen among: "Strategy"."""


def place_chart(chart: Chart) -> str:
    """The element that the chart is drawn into, with its caption and what can be chosen."""
    place = (
        f'<div class="chart" id="{escape(chart.name)}" role="img" '
        f'aria-label="{escape(chart.alt)}" style="height:{chart.height}px"></div>'
    )
    if not (chart.caption or chart.choices):
        return place
    caption = f"<figcaption>{escape(chart.caption)}</figcaption>" if chart.caption else ""
    return f"<figure>{caption}{_choice(chart)}{place}</figure>"


def render_page(title: str, body: str, charts: Sequence[Chart], style: str = "") -> str:
    """The whole page; `body` is HTML that holds a place for each chart, `style` more CSS."""
    from plotly.offline import get_plotlyjs

    parts = {
        "TITLE": escape(title),
        "STYLE": STYLE + _STYLE + style,
        "BODY": body,
        "LIBRARY": f"<script>{get_plotlyjs()}</script>" if charts else "",
        "CHARTS": _script_json([_plain(chart) for chart in charts]),
        "THEME": THEME_SCRIPT,
        "SCRIPT": SORT_SCRIPT + (CHART_SCRIPT if charts else ""),
    }
    return re.sub("@([A-Z]+)@", lambda mark: parts[mark[1]], _PAGE)


def figure_of(chart: Chart) -> Figure:
    """The chart as a plotly figure in the light theme, with its choices as a menu."""
    from plotly.graph_objects import Figure

    data = _plain(chart)
    layout = {"template": "plotly_white", "height": chart.height + 60, **data["layout"]}
    if chart.title:
        layout["title"] = {"text": escape(chart.title)}
    if chart.choices:
        layout["updatemenus"] = [_menu(chart)]
    return Figure(_coloured({"data": data["data"], "layout": layout}, THEMES["light"]))


def _plain(chart: Chart) -> dict[str, Any]:
    data = [dict(trace) for trace in chart.traces]
    if chart.choices:
        for place, trace in enumerate(data):
            trace["visible"] = place in chart.choices[0].traces
    plain = {"name": chart.name, "height": chart.height, "data": data, "layout": chart.layout}
    if chart.choices:
        plain["choices"] = [{"traces": c.traces, "note": c.note} for c in chart.choices]
    return plain


def _choice(chart: Chart) -> str:
    if not chart.choices:
        return ""
    name = escape(chart.name)
    options = "".join(
        f'<option value="{n}">{escape(c.label)}</option>' for n, c in enumerate(chart.choices)
    )
    return (
        f'<p class="choice"><label for="{name}-choice">{escape(chart.asked)}</label> '
        f'<select id="{name}-choice" data-chart="{name}">{options}</select> '
        f'<span id="{name}-note" role="status">{escape(chart.choices[0].note)}</span></p>'
    )


def _menu(chart: Chart) -> dict[str, Any]:
    places = range(len(chart.traces))
    buttons = [
        {
            "label": escape(choice.label),
            "method": "update",
            "args": [{"visible": [place in choice.traces for place in places]}],
        }
        for choice in chart.choices
    ]
    return {"buttons": buttons, "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}


def _coloured(value: Any, theme: dict[str, str], is_colour: bool = False) -> Any:
    """A copy of `value` with the theme's colours for their names."""
    if isinstance(value, dict):
        return {k: _coloured(v, theme, k.endswith("color")) for k, v in value.items()}
    if isinstance(value, (list, tuple)) and (is_colour or any(isinstance(v, dict) for v in value)):
        return [_coloured(v, theme, is_colour) for v in value]
    if is_colour and isinstance(value, str):
        return theme.get(value, value)
    return copy.copy(value)


def _script_json(value: Any) -> str:
    """JSON that no text in it can end the script element of."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


_STYLE = """
figure { margin: 0; }
figcaption { margin: 0 0 0.5rem; color: var(--soft); font-size: 0.9rem; max-width: 60rem; }
.chart { width: 100%; margin: 0.5rem 0 1rem; }
.choice { display: flex; flex-wrap: wrap; gap: 0.25rem 0.6rem; align-items: center; margin: 0.5rem 0; }
.choice span { color: var(--soft); font-size: 0.9rem; }
.listing th, .listing td { text-align: right; white-space: nowrap; }
.listing .text { text-align: left; }
.listing tbody tr:hover > * { background: var(--band); }
@media print { .chart, figure { break-inside: avoid; } figcaption { break-after: avoid; } }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; form-action 'none'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>@TITLE@</title>
<style>@STYLE@</style>
</head>
<body>
<div id="theme" role="group" aria-label="Theme"><button type="button" data-theme="auto">Auto</button><button type="button" data-theme="light">Light</button><button type="button" data-theme="dark">Dark</button></div>
<script>@THEME@</script>
@BODY@
@LIBRARY@
<script type="application/json" id="charts">@CHARTS@</script>
<script>@SCRIPT@</script>
</body>
</html>
"""
