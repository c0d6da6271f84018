"""Two runs side by side as mail text: 72 columns of plain ASCII where the numbers allow."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from spetrace.report.run_difference import CounterDifference, RunDifference
from spetrace.report.run_difference_conditions import Failure

WIDTH = 72
_SHOWN = tuple(h for h in CounterDifference.HEADINGS if h != "change")


def render_difference_text(difference: RunDifference, failed: Sequence[Failure] = ()) -> str:
    """The report as text; `failed` are the conditions that hold."""
    lines = [
        *_wrapped(difference.title),
        *(f"{name}: {path}" for name, path in zip("AB", difference.names, strict=True)),
        *_section("Failed", (f"{each.condition}: {each.text}" for each in failed)),
        *_section(
            "What differs in what they rest on",
            [f"{what}: A {a}; B {b}" for what, a, b in (c.cells for c in difference.basis)]
            or ["nothing"],
        ),
        *(line for text in difference.answer for line in ("", *_wrapped(text))),
        *_section("In one of them only", (f"{n}: {text}" for n, text in difference.only)),
        *_counters(difference),
        *_section("The same in all counters", _unchanged(difference)),
        *_section("Profile fidelity that differs", _fidelity(difference)),
        *_section("Notes", difference.notes),
    ]
    plain = (line.encode("ascii", "backslashreplace").decode().rstrip() for line in lines)
    return "\n".join(plain) + "\n"


def _counters(difference: RunDifference) -> Iterator[str]:
    rows = {s.name: [_cells(c) for c in s.changed] for s in difference.changed}
    widths = [max(map(len, column)) for column in zip(_SHOWN, *chain(*rows.values()), strict=True)]
    for name, cells in rows.items():
        yield from ("", *_heading(name))
        for first, *others in (_SHOWN, *cells):
            numbers = (text.rjust(w) for text, w in zip(others, widths[1:], strict=True))
            yield f"{first.ljust(widths[0])}  {'  '.join(numbers)}"


def _unchanged(difference: RunDifference) -> Iterator[str]:
    if difference.changed and difference.unchanged:
        yield ", ".join(difference.unchanged)


def _fidelity(difference: RunDifference) -> Iterator[str]:
    for strategy, measure, a, b, change in (each.cells for each in difference.changed_fidelity):
        yield f"{strategy} {measure}: A {a}; B {b}; difference {change}"


def _cells(counter: CounterDifference) -> tuple[str, ...]:
    by_heading = zip(CounterDifference.HEADINGS, counter.cells, strict=True)
    return tuple(text for heading, text in by_heading if heading in _SHOWN)


def _section(title: str, items: Iterable[str]) -> Iterator[str]:
    items = list(items)
    if items:
        yield from ("", *_heading(title))
    for item in items:
        yield from _wrapped(item, "- ", "  ")


def _heading(title: str) -> tuple[str, str]:
    return title, "-" * min(len(title), WIDTH)


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
