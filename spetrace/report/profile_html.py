"""A profile as one HTML page that needs nothing but itself: plotly is in it, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from spetrace.report.plotly_page import place_chart, render_page
from spetrace.report.profile_charts import Drawing, draw_charts
from spetrace.report.profile_section import Heading, Section
from spetrace.report.profile_view import ProfileView
from spetrace.tables.profile import Profile


def render_profile_html(profile: Profile, view: ProfileView) -> str:
    """The page's text; all that came from files is escaped."""
    drawings = draw_charts(profile)
    body = "\n".join(
        [
            f"<header><h1>SPE profile</h1><p>{escape(view.title)}</p></header>",
            *(f'<p class="caution" role="alert">{escape(text)}</p>' for text in view.cautions),
            *_part("Lost or odd in the recording", _losses(view)),
            *(part for drawing in drawings for part in _part(drawing.title, _drawing(drawing))),
            *(part for s in view.sections for part in _part(s.title, _section(s))),
            *_part("Assumed", _terms((f"{a.name} {a.value}", a.text) for a in view.assumptions)),
            *_part("Input", _terms(_facts(view))),
            *_part("Columns", _terms(_columns(view.sections))),
        ]
    )
    return render_page(
        f"SPE profile: {view.title}", body, [drawing.chart for drawing in drawings], _STYLE
    )


_STYLE: Final = """
.listing th, .listing td { text-align: right; white-space: nowrap; vertical-align: top; }
.listing thead th { vertical-align: bottom; }
.listing .text { text-align: left; }
.listing .text.long { min-width: 12rem; white-space: normal; overflow-wrap: anywhere; }
.listing tbody tr:hover > * { background: var(--band); }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: 0.9rem; max-width: 60rem; }
"""


def _part(title: str, content: str) -> Iterator[str]:
    if content:
        yield f"<section><h2>{escape(title)}</h2>\n{content}\n</section>"


def _losses(view: ProfileView) -> str:
    if not view.losses:
        return "<p>Nothing that the inputs tell of.</p>"
    terms = "".join(
        f'<dt><span class="{escape(loss.severity)}">{escape(loss.severity.replace("_", " "))}</span> '
        f"{escape(loss.counter)} ({escape(loss.source)})</dt>"
        f"<dd>{escape(loss.text)}; remedy: {escape(loss.remedy)}</dd>"
        for loss in view.losses
    )
    return f"<dl>{terms}</dl>"


def _drawing(drawing: Drawing) -> str:
    caption = f"<figcaption>{escape(drawing.caption)}</figcaption>"
    return f"<figure>{caption}{place_chart(drawing.chart)}</figure>"


def _section(section: Section) -> str:
    widest = _longest_text(section)
    heads = "".join(
        f'<th scope="col" title="{escape(h.doc)}"{_class(h, n == widest)}>'
        f"{escape(h.text).replace(chr(10), '<br>')}</th>"
        for n, h in enumerate(section.headings)
    )
    rows = "\n".join(_row(section.headings, row, widest) for row in section.rows)
    note = f'<p class="left-out">{escape(section.note)}</p>' if section.note else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(section.title)}">'
        f'<table class="listing"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
        f"</div>{note}"
    )


def _row(headings: Sequence[Heading], row: Sequence[str], widest: int | None) -> str:
    cells = "".join(
        f"<td{_class(heading, n == widest)}>{escape(text)}</td>"
        for n, (heading, text) in enumerate(zip(headings, row, strict=True))
    )
    return f"<tr>{cells}</tr>"


def _class(heading: Heading, longest: bool) -> str:
    if not heading.is_text:
        return ""
    return ' class="text long"' if longest else ' class="text"'


def _longest_text(section: Section) -> int | None:
    """The text column with the longest cell, where it is a long one."""
    lengths = {
        n: max(len(row[n]) for row in section.rows)
        for n, heading in enumerate(section.headings)
        if heading.is_text
    }
    found = max(lengths, key=lambda n: lengths[n], default=None)
    return found if found is not None and lengths[found] > 20 else None


def _facts(view: ProfileView) -> Iterator[tuple[str, str]]:
    for each in view.inputs:
        yield each.name, ", ".join(filter(None, (each.format, each.size)))
    yield from view.choices


def _columns(sections: Sequence[Section]) -> dict[str, str]:
    return {
        f"{heading.text.replace(chr(10), ' ').replace('- ', '')} ({section.title})": heading.doc
        for section in sections
        for heading in section.headings
    }


def _terms(pairs: Iterable[tuple[str, str]] | dict[str, str]) -> str:
    items = pairs.items() if isinstance(pairs, dict) else pairs
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in items)
    return f"<dl>{terms}</dl>" if terms else ""
