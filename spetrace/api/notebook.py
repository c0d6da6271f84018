"""What a notebook shows of a run and of a session: HTML without scripts or styles of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from spetrace.report.comparison import Comparison
from spetrace.report.groups import Group
from spetrace.report.units import render_size


def comparison_html(comparison: Comparison) -> str:
    """Title, answer and the tables over the whole session, bounds marked."""
    first = comparison.scopes[0].groups if comparison.scopes else ()
    parts = [
        f"<p><b>{escape(comparison.title)}</b></p>",
        *(f"<p><b>Lost in the recording:</b> {escape(text)}</p>" for text in comparison.cautions),
        *(f"<p>{escape(text)}</p>" for text in comparison.answer),
        *(_group(group) for group in first if group.figures),
        *(
            f"<p>{escape(name)} was left out: {escape(why)}</p>"
            for name, why in comparison.excluded
        ),
    ]
    return "\n".join(parts)


def inputs_html(inputs: Sequence[Mapping[str, Any]], tracepoints: Iterable[str]) -> str:
    """The inputs of a session and the tracepoints in them."""
    rows = [(str(i.get("name")), str(i.get("format")), _size(i.get("size_bytes"))) for i in inputs]
    names = ", ".join(f"<code>{escape(name)}</code>" for name in tracepoints) or "none"
    return _table("", ("input", "format", "size"), rows) + f"<p>tracepoints: {names}</p>"


def _size(count: int | None) -> str:
    return "-" if count is None else render_size(count)


def _group(group: Group) -> str:
    heads = ["strategy", *(figure.heading.replace("\n", " ") for figure in group.figures)]
    rows = [(row.label, *(cell.text for cell in row.cells)) for row in group.rows]
    return _table(group.title, heads, rows)


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
