"""The report on KVM recordings as one HTML page with charts that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from spetrace.report.kvm_html_figures import charts_of
from spetrace.report.kvm_view import KvmView, view_kvm
from spetrace.report.plotly_page import Chart, place_chart, render_page
from spetrace.report.profile_section import Heading, Section
from spetrace.tables.kvm_summary import KvmSummary


def render_kvm_html(summary: KvmSummary) -> str:
    """The page's text; all that came from files is escaped. Charts stand above their tables."""
    view = view_kvm(summary)
    charts = charts_of(summary)
    body = "\n".join(
        [
            f"<header><h1>KVM recording</h1><p>{escape(view.title)}</p></header>",
            *(f'<p class="caution" role="alert">{escape(text)}</p>' for text in view.cautions),
            f'<section class="answer" aria-label="Summary">{_paragraphs(view.answer)}</section>',
            *_part("Lost or odd in the recording", _losses(view)),
            *_part("Assumed", _terms((f"{a.name} = {a.value}", a.text) for a in view.assumptions)),
            *(part for s in view.sections for part in _part(s.title, _charted(s, charts))),
            *_part("Input", _terms(_facts(view))),
            *_part("Columns", _terms(_columns(view.sections).items())),
        ]
    )
    drawn = [chart for own in charts.values() for chart in own]
    return render_page(f"KVM recording: {view.title}", body, drawn)


def _part(title: str, content: str) -> Iterator[str]:
    if content:
        yield f"<section><h2>{escape(title)}</h2>\n{content}\n</section>"


def _charted(section: Section, charts: Mapping[str, list[Chart]]) -> str:
    return "".join(map(place_chart, charts.get(section.title, ()))) + _table(section)


def _table(section: Section) -> str:
    heads = "".join(
        f'<th scope="col" title="{escape(h.doc)}"{_class(h)}>'
        f"{escape(h.text).replace(chr(10), '<br>')}</th>"
        for h in section.headings
    )
    rows = "\n".join(_row(section, row) for row in section.rows)
    note = f'<p class="left-out">{escape(section.note)}</p>' if section.note else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(section.title)}">'
        f'<table class="listing"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
        f"</div>{note}"
    )


def _row(section: Section, row: Iterable[str]) -> str:
    cells = zip(section.headings, row, strict=True)
    return "<tr>" + "".join(f"<td{_class(h)}>{escape(text)}</td>" for h, text in cells) + "</tr>"


def _class(heading: Heading) -> str:
    return ' class="text"' if heading.is_text else ""


def _losses(view: KvmView) -> str:
    terms = (
        (f"{loss.severity.replace('_', ' ')}: {loss.counter} ({loss.source})",
         f"{loss.text}; remedy: {loss.remedy}")
        for loss in view.losses
    )  # fmt: skip
    return _terms(terms) or "<p>Nothing that the inputs tell of.</p>"


def _facts(view: KvmView) -> Iterator[tuple[str, str]]:
    for each in view.inputs:
        digest = f"SHA-256 {each.sha256}" if each.sha256 else ""
        yield each.name, ", ".join(filter(None, (each.format, each.size, digest)))
    yield from view.facts


def _columns(sections: Iterable[Section]) -> dict[str, str]:
    return {
        f"{section.title}: {heading.text.replace(chr(10), ' ')}": heading.doc
        for section in sections
        for heading in section.headings
    }


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{terms}</dl>" if terms else ""


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)
