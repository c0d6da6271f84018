"""A sweep's report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from spetrace.report.plotly_page import Chart, place_chart, render_page
from spetrace.report.sweep_charts import heat_maps, placement_charts, tornados
from spetrace.report.sweep_tables import TextTable, tables_of
from spetrace.report.sweep_view import SweepView

_FLIPS: Final = 100


def render_sweep_html(view: SweepView) -> str:
    """The page's text; all that came from files or the command line is escaped."""
    matters, maps, places = (
        list(tornados(view)),
        list(heat_maps(view)),
        list(placement_charts(view)),
    )
    tables = list(tables_of(view))
    body = "\n".join(
        [
            f"<header><h1>Sweep</h1><p>{escape(view.title)}</p></header>",
            f'<section class="answer" aria-label="Summary">{_paragraphs(view.answer)}</section>',
            *_part("Lost or odd in the recordings", _terms(view.losses)),
            *_part("What matters", _drawn(matters)),
            *_part("Where the ranking flips", _flips(view)),
            *_part("Pairs of parameters", _drawn(maps)),
            *_part("Placements", _drawn(places)),
            *(part for table in tables for part in _part(table.title, _table(table))),
            *_part("Assumed", _terms(view.assumptions)),
            *_part("Made of", _terms(view.facts)),
        ]
    )
    return render_page(f"Sweep: {view.title}", body, [*matters, *maps, *places])


def _part(title: str, content: str) -> Iterator[str]:
    if content:
        yield f"<section><h2>{escape(title)}</h2>\n{content}\n</section>"


def _drawn(charts: Iterable[Chart]) -> str:
    return "".join(f"<h3>{escape(chart.alt)}</h3>{place_chart(chart)}" for chart in charts)


def _flips(view: SweepView) -> str:
    sentences = list(view.flip_lines[:_FLIPS])
    if len(view.flip_lines) > _FLIPS:
        sentences.append(f"{len(view.flip_lines) - _FLIPS:,} more are in report.json.")
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _table(table: TextTable) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        kinds = (' class="text"' if place < table.texts else "" for place in itertools.count())
        made = (
            f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=False)
        )
        return f"<tr>{''.join(made)}</tr>"

    rows = "\n".join(row(cells, "td") for cells in table.rows)
    note = f'<p class="left-out">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f'<table class="listing"><thead>{row(table.headings, "th")}</thead>\n<tbody>\n{rows}\n'
        f"</tbody></table></div>{note}"
    )


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{terms}</dl>" if terms else ""


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)
