"""A sweep's report as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from spetrace.report.sweep_tables import TextTable, tables_of
from spetrace.report.sweep_view import SweepView

_FLIPS: Final = 30
_WIDTH: Final = 80


def render_sweep_text(view: SweepView) -> str:
    """The report's text: sentences in lines of 80 characters, tables as wide as they are."""
    return "\n".join(_lines(view)) + "\n"


def _lines(view: SweepView) -> Iterator[str]:
    yield view.title
    yield ""
    yield from _wrapped(view.answer)
    if view.flip_lines:
        yield from ("", "Where the ranking flips", "-----------------------")
        yield from _wrapped(view.flip_lines[:_FLIPS])
        if len(view.flip_lines) > _FLIPS:
            yield f"... and {len(view.flip_lines) - _FLIPS:,} more in report.json"
    for table in tables_of(view):
        yield from ("", table.title, "-" * len(table.title))
        yield from _table(table)
        if table.note:
            yield from _wrapped([table.note])
    for title, terms in (
        ("Lost or odd", view.losses),
        ("Assumed", view.assumptions),
        ("Made of", view.facts),
    ):
        if terms:
            yield from ("", title, "-" * len(title))
            yield from _wrapped((f"{name}: {text}" for name, text in terms), "  ")


def _wrapped(sentences: Iterable[str], indent: str = "") -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(
            sentence,
            _WIDTH,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _table(table: TextTable) -> Iterator[str]:
    rows: Sequence[Sequence[str]] = [table.headings, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.headings))]
    for row in rows:
        cells = (
            cell.ljust(width) if place < table.texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
