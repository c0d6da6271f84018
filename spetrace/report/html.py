"""A comparison as one HTML page that needs nothing but itself: its charts and scripts are within it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from spetrace.report.basis import CostLine
from spetrace.report.comparison import Comparison, StrategyLine
from spetrace.report.html_parts import bullets, paragraphs, plain_table, section, terms
from spetrace.report.html_tables import fidelity_table, overview_table, scope_tables
from spetrace.report.plotly_page import Chart, place_chart, render_page

_CHARTS = (
    ("pareto", "Captured records and pinned memory"),
    ("pinned", "Pinned memory over time"),
    ("blackouts", "Blackout windows"),
    ("blackout-lengths", "Lengths of blackout windows"),
    ("outcomes", "Where the records went"),
)
"""Charts by name and the titles of their sections, in the page's order; fidelity follows."""


def render_html(comparison: Comparison, charts: Sequence[Chart] = ()) -> str:
    """The page's text with the charts that are given; all that came from files is escaped."""
    drawn = {chart.name: chart for chart in charts}
    body = "\n".join(
        [
            f"<header><h1>SPE under KVM</h1><p>{escape(comparison.title)}</p></header>",
            *(f'<p class="caution" role="alert">{escape(c)}</p>' for c in comparison.cautions),
            f'<section class="answer" id="answer" aria-label="Answer">{_answer(comparison)}</section>',
            *section("Lost or odd in the recording", _losses(comparison), "losses"),
            *section("Comparison", _compared(comparison), "strategies"),
            *(
                part
                for name, title in _CHARTS
                if name in drawn
                for part in section(title, place_chart(drawn[name]))
            ),
            *section("Profile fidelity", _fidelity(comparison, drawn), "profile-fidelity"),
            *_basis(comparison),
            *(
                part
                for scope in comparison.scopes
                for part in section(_all_columns(scope.title), scope_tables(scope))
            ),
            *section("Strategies", _strategies(comparison.strategies)),
            *section("Columns", _columns(comparison)),
        ]
    )
    return render_page(f"SPE under KVM: {comparison.title}", body, charts, _STYLE)


_STYLE = """
.rests-on { color: var(--soft); font-size: 0.9rem !important; }
.overview { width: 100%; }
.overview th, .overview td { text-align: right; white-space: nowrap; }
.overview tr > :first-child {
  position: sticky; left: 0; background: var(--ground); text-align: left;
}
.overview tbody tr:hover > * { background: var(--band); }
.overview .share { padding-left: 0; color: var(--soft); }
.overview .zero { color: var(--soft); }
.overview .loss { color: var(--loss); }
.bound > th { font-style: italic; }
.noise { display: block; color: var(--soft); font-size: 0.75rem; line-height: 1.1; }
@media print { .overview { width: auto; } .overview th, .overview td { padding: 0.1rem 0.25rem; } }
"""


def _answer(comparison: Comparison) -> str:
    return paragraphs(comparison.answer) + paragraphs([comparison.rests_on], "rests-on")


def _losses(comparison: Comparison) -> str:
    if not comparison.losses:
        return "<p>Nothing that the inputs tell of.</p>"
    rows = (
        f'<tr><td class="{escape(loss.severity)}">{escape(loss.severity.replace("_", " "))}</td>'
        f"<td>{escape(loss.source)}</td><td>{escape(loss.text)}<br><code>{escape(loss.counter)}"
        f'</code></td><td data-label="remedy">{escape(loss.remedy)}</td></tr>'
        for loss in comparison.losses
    )
    return plain_table(("severity", "input", "what", "remedy"), rows)


def _compared(comparison: Comparison) -> str:
    excluded = terms(comparison.excluded)
    return (
        overview_table(comparison.overview)
        + (f"<h3>Left out</h3>\n{excluded}" if excluded else "")
        + f"<h3>Notes</h3>\n{bullets(comparison.notes)}"
    )


def _fidelity(comparison: Comparison, drawn: dict[str, Chart]) -> str:
    if not comparison.fidelity:
        reason = escape(comparison.fidelity_left_out) or "this replay did not ask for it"
        return (
            f"<p>Not compared: {reason}. With recorded SPE data this section tells which strategies "
            "skew a profile beyond what random losses would do.</p>"
        )
    if not any(measure.marks for measure in comparison.fidelity):
        return "<p>No strategy loses a record that is compared: each shows the whole profile.</p>"
    chart = place_chart(drawn["fidelity"]) if "fidelity" in drawn else ""
    return chart + fidelity_table(comparison.fidelity)


def _basis(comparison: Comparison) -> Iterator[str]:
    assumed = terms((f"{a.name} = {a.value}", a.text) for a in comparison.assumptions)
    yield from section("Assumed", assumed, "assumed")
    yield from section("Costs", _costs(comparison.costs))
    yield from section("Input", _inputs(comparison), "input")


def _costs(costs: Iterable[CostLine]) -> str:
    rows = [
        f"<tr><th scope=row>{escape(cost.name)}</th>"
        + "".join(f"<td>{escape(text)}</td>" for text in cost.cells[1:])
        + "</tr>"
        for cost in costs
    ]
    return plain_table(CostLine.HEADINGS, rows) if rows else ""


def _inputs(comparison: Comparison) -> str:
    rows = [
        f"<tr><th scope=row>{escape(i.name)}</th><td>{escape(i.format)}</td>"
        f"<td>{escape(i.size)}</td><td><code>{escape(i.sha256)}</code></td></tr>"
        for i in comparison.inputs
    ]
    table = plain_table(("file", "format", "size", "SHA-256"), rows) if rows else ""
    return table + terms(comparison.facts)


def _all_columns(scope: str) -> str:
    return f"All columns: {scope}" if scope else "All columns"


def _strategies(strategies: Iterable[StrategyLine]) -> str:
    described = "".join(f"<dt>{escape(s.label)}</dt><dd>{_about(s)}</dd>" for s in strategies)
    return f"<dl>{described}</dl>"


def _about(strategy: StrategyLine) -> str:
    requires = f"Needs: {strategy.requires}" if strategy.requires else ""
    parts = [escape(part) for part in (strategy.doc, requires) if part]
    if strategy.origin:
        parts.append(f'<span class="origin">{escape(strategy.origin)}</span>')
    return "<br>".join(parts)


def _columns(comparison: Comparison) -> str:
    figures = {
        figure.heading.replace("\n", " "): figure.doc
        for group in (comparison.scopes[0].groups if comparison.scopes else ())
        for figure in group.figures
        if not figure.share
    }
    return terms(figures.items())
