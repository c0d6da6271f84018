"""The comparison's tables of figures in HTML: exact values beside what is shown, made to be sorted.

`data-counter` names a column's counter, `data-strategy` a row's strategy, `data-vm` the VM of a table
("" for the total), and the value of a `data` element is what report.json holds there.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from spetrace.report.charts.fidelity_marks import NOTHING, Mark, Measure
from spetrace.report.comparison import Scope
from spetrace.report.figures import Figure
from spetrace.report.groups import Cell, Group, Row
from spetrace.report.html_parts import classes, scrolling


def overview_table(group: Group) -> str:
    """The columns that a choice is made by, over the whole session."""
    return _figures(group, "Comparison of strategies", 'id="comparison" class="overview sortable"')


def scope_tables(scope: Scope) -> str:
    """All columns of the session or of one VM, in groups."""
    vm = scope.title.removeprefix("VM ") if scope.title.startswith("VM ") else ""
    tables = "\n".join(
        _figures(
            group, scope.caption([group.title]), f'class="figures sortable" data-vm="{vm}"',
            f"<caption>{escape(group.title)}</caption>\n",
        )
        for group in scope.groups
        if group.figures
    )  # fmt: skip
    left_out = ", ".join(name for group in scope.groups for name in group.left_out)
    note = f'<p class="left-out">0 for every strategy: {escape(left_out)}.</p>' if left_out else ""
    return f'<div class="tables">{tables}</div>{note}'


def fidelity_table(measures: Sequence[Measure]) -> str:
    """A row per strategy that loses records: each measure's value, its noise, and a mark on skew."""
    names = dict.fromkeys(mark.strategy for measure in measures for mark in measure.marks)
    heads = "".join(
        f'<th scope="col" data-sort="descending">{escape(m.title)}</th>' for m in measures
    )
    marks = [{mark.strategy: mark for mark in measure.marks} for measure in measures]
    rows = "\n".join(
        f'<tr data-strategy="{escape(name)}"><th scope="row">{escape(name)}</th>'
        + "".join(_mark(own.get(name)) for own in marks)
        + "</tr>"
        for name in names
    )
    table = (
        '<table id="fidelity-table" class="overview sortable"><thead><tr>'
        f'<th scope="col" data-sort="ascending">strategy</th>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table>"
    )
    return scrolling("Profile fidelity by strategy and measure", table)


def _mark(mark: Mark | None) -> str:
    """A strategy without a mark loses none of the records that have what is measured."""
    if mark is None:
        return '<td class="zero"><data value="0">0</data></td>'
    if mark.value is None:
        return f"<td>{NOTHING}</td>"
    kind = classes(["loss"] if mark.is_skewed else [])
    skew = " skewed" if mark.is_skewed else ""
    return (
        f'<td{kind}><data value="{mark.value!r}">{escape(mark.text)}</data>{skew}'
        f'<span class="noise">noise {escape(mark.noise)}</span></td>'
    )


def _figures(group: Group, label: str, attributes: str, caption: str = "") -> str:
    heads = "".join(_heading(figure) for figure in group.figures)
    rows = "\n".join(_row(group, row) for row in group.rows)
    return scrolling(
        label,
        f"<table {attributes}>{caption}"
        f'<thead><tr><th scope="col" data-sort="ascending">strategy</th>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table>",
    )


def _heading(figure: Figure) -> str:
    """A column of shares is sorted by its counter's column, which stands beside it."""
    text = escape(figure.heading).replace("\n", "<br>")
    title = f'scope="col" title="{escape(figure.doc)}"'
    if figure.share:
        return f'<th {title} class="share">{text}</th>'
    return f'<th {title} data-counter="{escape(figure.counter)}" data-sort="descending">{text}</th>'


def _row(group: Group, row: Row) -> str:
    bound = f' <span class="bound-name">{escape(row.bound)} bound</span>' if row.bound else ""
    cells = "".join(_cell(*pair) for pair in zip(group.figures, row.cells, strict=True))
    kind = classes(["bound"] if row.bound else [])
    return (
        f'<tr data-strategy="{escape(row.strategy)}"{kind}>'
        f'<th scope="row">{escape(row.strategy)}{bound}</th>{cells}</tr>'
    )


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
    return f"<td{classes(name for name, holds in kinds.items() if holds)}>{text}</td>"
