"""Two runs side by side as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from spetrace.report.plotly_page import render_page
from spetrace.report.run_basis_difference import BasisChange
from spetrace.report.run_difference import CounterDifference, RunDifference, StrategyDifference
from spetrace.report.run_difference_conditions import Failure
from spetrace.report.run_fidelity_difference import FidelityDifference


def render_difference_html(difference: RunDifference, failed: Sequence[Failure] = ()) -> str:
    """The page's text; all that came from files is escaped. `failed` are the conditions that hold."""
    names = zip("AB", difference.names, strict=True)
    counters = "".join(_strategy(s) for s in difference.changed)
    body = "\n".join(
        [
            f"<header><h1>SPE under KVM</h1><p>{escape(difference.title)}</p></header>",
            _terms(names),
            *(
                f'<p class="caution" role="alert">Failed {escape(each.condition)}: '
                f"{escape(each.text)}</p>"
                for each in failed
            ),
            "<section><h2>What differs in what they rest on</h2>",
            _basis(difference.basis),
            '</section><section class="answer" aria-label="Answer">',
            *(f"<p>{escape(text)}</p>" for text in difference.answer),
            "</section>",
            _terms(difference.only),
            *(
                ["<section><h2>Counters that differ</h2>", counters, "</section>"]
                if counters
                else []
            ),
            _fidelity(difference.changed_fidelity),
            "<section><h2>Notes</h2><ul>",
            *(f"<li>{escape(note)}</li>" for note in _notes(difference)),
            "</ul></section>",
        ]
    )
    return render_page(difference.title, body, ())


def _notes(difference: RunDifference) -> list[str]:
    same = ", ".join(difference.unchanged)
    return [*difference.notes, *([f"The same in all counters: {same}."] if same else [])]


def _basis(changes: Sequence[BasisChange]) -> str:
    rows = "".join(_words(BasisChange.HEADINGS, change.cells) for change in changes)
    return _table("plain", BasisChange.HEADINGS, rows) if rows else "<p>Nothing.</p>"


def _strategy(strategy: StrategyDifference) -> str:
    rows = "".join(_counter(counter) for counter in strategy.changed)
    return _table("figures", CounterDifference.HEADINGS, rows, strategy.name)


def _counter(counter: CounterDifference) -> str:
    name, *texts = counter.cells
    exact = (counter.a, counter.b, counter.difference)
    values = "".join(
        f'<td><data value="{value}" title="{value:,}">{escape(text)}</data></td>'
        for value, text in zip(exact, texts, strict=False)
    )
    rest = "".join(f"<td>{escape(text)}</td>" for text in texts[len(exact) :])
    return f'<tr><th scope="row">{escape(name)}</th>{values}{rest}</tr>'


def _fidelity(changed: Sequence[FidelityDifference]) -> str:
    rows = "".join(_words(FidelityDifference.HEADINGS, each.cells) for each in changed)
    if not rows:
        return ""
    table = _table("plain", FidelityDifference.HEADINGS, rows)
    return f"<section><h2>Profile fidelity that differs</h2>{table}</section>"


def _words(headings: Sequence[str], cells: Sequence[str]) -> str:
    """A row whose cells say their heading where a narrow screen stacks them."""
    first, *others = (escape(cell) for cell in cells)
    labelled = (
        f'<td data-label="{escape(heading)}">{cell}</td>'
        for heading, cell in zip(headings[1:], others, strict=True)
    )
    return f"<tr><td>{first}</td>{''.join(labelled)}</tr>"


def _table(kind: str, headings: Iterable[str], rows: str, caption: str = "") -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in headings)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table class="{kind}">{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{terms}</dl>" if terms else ""
