"""A profile on a terminal, by rich: tables of whatever width there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spetrace.report.basis import AssumptionLine, LossLine
from spetrace.report.profile_section import Section
from spetrace.report.profile_view import ProfileView
from spetrace.report.wording import join_names

_SEVERITY_STYLES: Final = {"data_loss": "bold red", "warning": "yellow"}
_GAP: Final = 2
_TEXT: Final = 28
"""Characters that a text column gets where its texts are longer."""


@dataclass(frozen=True)
class ProfileReport:
    """What rich draws; it asks for the width when it is drawn."""

    view: ProfileView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The report's parts from top to bottom."""
        view = self.view
        yield Text(view.title, style="bold")
        yield from (Text(text, style="bold red") for text in view.cautions)
        yield from _listed("Lost or odd in the recording", map(_loss, view.losses))
        yield from _listed("Assumed", map(_assumption, view.assumptions))
        for section in view.sections:
            yield Text(f"\n{section.title}", style="bold")
            kept = _fitting(section, options.max_width)
            yield _table(section, kept)
            yield from (Text(note, style="dim") for note in _notes(section, kept))


def render_profile(view: ProfileView) -> RenderableType:
    """The report for rich's console."""
    return ProfileReport(view)


def _fitting(section: Section, width: int) -> list[int]:
    """The columns that there is room for; text columns can be folded."""
    widths = [_width(section, n) for n in range(len(section.headings))]
    kept = list(range(len(widths)))
    while sum(widths[n] + _GAP for n in kept) - _GAP > width:
        last = max(kept, key=lambda n: section.headings[n].dispensable)
        if not section.headings[last].dispensable:
            break
        kept.remove(last)
    return kept


def _width(section: Section, n: int) -> int:
    """What column `n` needs: all of a number, and of a long text enough to read it."""
    heading = section.headings[n]
    cell = max(len(row[n]) for row in section.rows)
    title = max(map(len, heading.text.split("\n")))
    return max(title, min(cell, _TEXT) if heading.is_text else cell)


def _table(section: Section, kept: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    for n in kept:
        heading = section.headings[n]
        table.add_column(
            heading.text,
            justify="left" if heading.is_text else "right",
            no_wrap=not heading.is_text,
            overflow="fold",
            min_width=_width(section, n),
        )
    for row in section.rows:
        table.add_row(*(Text(row[n]) for n in kept))
    return table


def _notes(section: Section, kept: Sequence[int]) -> Iterator[str]:
    if section.note:
        yield section.note
    missing = [_one_line(h.text) for n, h in enumerate(section.headings) if n not in kept]
    if missing:
        yield f"Not shown for want of room: {join_names(missing)}."


def _one_line(heading: str) -> str:
    return heading.replace("-\n", "").replace("\n", " ")


def _loss(loss: LossLine) -> Text:
    return Text.assemble(
        (f"{loss.severity} ", _SEVERITY_STYLES.get(loss.severity, "dim")),
        (f"{loss.counter} ({loss.source}): ", "bold"),
        f"{loss.text}; remedy: {loss.remedy}",
    )


def _assumption(line: AssumptionLine) -> Text:
    return Text.assemble((f"{line.name} {line.value}: ", "bold"), line.text)


def _listed(title: str, lines: Iterable[Text]) -> Iterator[RenderableType]:
    lines = list(lines)
    if lines:
        yield Text(f"\n{title}", style="bold")
    yield from (Padding(line, (0, 0, 0, 2)) for line in lines)
