"""A comparison as one HTML page that needs nothing but itself: no script, no network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from spetrace.report.basis import CostLine
from spetrace.report.comparison import Comparison, Scope, StrategyLine
from spetrace.report.figures import Figure
from spetrace.report.groups import Cell, Group, Row
from spetrace.report.html_style import STYLE


def render_html(comparison: Comparison) -> str:
    """The page's text; all that came from files is escaped."""
    body = "\n".join(
        [
            f"<header><h1>SPE under KVM</h1><p>{escape(comparison.title)}</p></header>",
            *(f'<p class="caution" role="alert">{escape(c)}</p>' for c in comparison.cautions),
            f'<section class="answer" aria-label="Answer">{_paragraphs(comparison.answer)}</section>',
            *_section("Lost or odd in the recording", _losses(comparison)),
            *_section("Assumed", _assumed(comparison)),
            *_section("Costs", _costs(comparison.costs)),
            *_section("Input", _inputs(comparison)),
            *(
                part
                for scope in comparison.scopes
                for part in _section(scope.title or "Comparison", _scope(scope))
            ),
            *_section("Notes", _list(escape(note) for note in comparison.notes)),
            *_section("Left out", _terms(comparison.excluded)),
            *_section("Strategies", _strategies(comparison.strategies)),
            *_section("Columns", _columns(comparison)),
        ]
    )
    return _PAGE.format(title=escape(comparison.title), style=STYLE, body=body)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SPE under KVM: {title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _section(title: str, content: str) -> Iterator[str]:
    if content:
        yield f"<section><h2>{escape(title)}</h2>\n{content}\n</section>"


def _losses(comparison: Comparison) -> str:
    if not comparison.losses:
        return "<p>Nothing that the inputs tell of.</p>"
    rows = (
        f'<tr><td class="{escape(loss.severity)}">{escape(loss.severity.replace("_", " "))}</td>'
        f"<td>{escape(loss.source)}</td><td>{escape(loss.text)}<br><code>{escape(loss.counter)}"
        f'</code></td><td data-label="remedy">{escape(loss.remedy)}</td></tr>'
        for loss in comparison.losses
    )
    return _plain_table(("severity", "input", "what", "remedy"), rows)


def _assumed(comparison: Comparison) -> str:
    return _terms((f"{a.name} = {a.value}", a.text) for a in comparison.assumptions)


def _costs(costs: Iterable[CostLine]) -> str:
    rows = [
        f"<tr><th scope=row>{escape(cost.name)}</th>"
        + "".join(f"<td>{escape(text)}</td>" for text in cost.cells[1:])
        + "</tr>"
        for cost in costs
    ]
    return _plain_table(CostLine.HEADINGS, rows) if rows else ""


def _inputs(comparison: Comparison) -> str:
    rows = [
        f"<tr><th scope=row>{escape(i.name)}</th><td>{escape(i.format)}</td>"
        f"<td>{escape(i.size)}</td><td><code>{escape(i.sha256)}</code></td></tr>"
        for i in comparison.inputs
    ]
    table = _plain_table(("file", "format", "size", "SHA-256"), rows) if rows else ""
    return table + _terms(comparison.facts)


def _scope(scope: Scope) -> str:
    tables = "\n".join(_figures(scope, group) for group in scope.groups if group.figures)
    left_out = ", ".join(name for group in scope.groups for name in group.left_out)
    note = f'<p class="left-out">0 for every strategy: {escape(left_out)}.</p>' if left_out else ""
    return f'<div class="tables">{tables}</div>{note}'


def _figures(scope: Scope, group: Group) -> str:
    heads = "".join(_heading(figure) for figure in group.figures)
    rows = "\n".join(_row(group, row) for row in group.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(scope.caption([group.title]))}"><table class="figures"><caption>{escape(group.title)}</caption>\n'
        f'<thead><tr><th scope="col">strategy</th>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _heading(figure: Figure) -> str:
    text = escape(figure.heading).replace("\n", "<br>")
    kinds = _class(["share"] if figure.share else [])
    return f'<th scope="col" title="{escape(figure.doc)}"{kinds}>{text}</th>'


def _row(group: Group, row: Row) -> str:
    bound = f' <span class="bound-name">{escape(row.bound)} bound</span>' if row.bound else ""
    cells = "".join(_cell(*pair) for pair in zip(group.figures, row.cells, strict=True))
    return f'<tr><th scope="row">{escape(row.strategy)}{bound}</th>{cells}</tr>'


def _cell(figure: Figure, cell: Cell) -> str:
    kinds = {
        "share": figure.share,
        "zero": not cell.value,
        "loss": cell.value and figure.counter in ("discarded", "lost"),
    }
    text = escape(cell.text)
    if not figure.share:
        exact = escape(f"{cell.value:,} {figure.unit or ''}".strip())
        text = f'<data value="{cell.value}" title="{exact}">{text}</data>'
    return f"<td{_class(name for name, holds in kinds.items() if holds)}>{text}</td>"


def _strategies(strategies: Iterable[StrategyLine]) -> str:
    terms = "".join(f"<dt>{escape(s.label)}</dt><dd>{_about(s)}</dd>" for s in strategies)
    return f"<dl>{terms}</dl>"


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
    return _terms(figures.items())


def _plain_table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "\n".join(rows)
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{terms}</dl>" if terms else ""


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{_unbroken(escape(text))}</p>" for text in texts)


def _unbroken(text: str) -> str:
    """Keep names with hyphens on one line."""
    return re.sub(r"\w+(?:-\w+)+", r'<span class="name">\g<0></span>', text)


def _class(names: Iterable[str]) -> str:
    joined = " ".join(names)
    return f' class="{joined}"' if joined else ""
