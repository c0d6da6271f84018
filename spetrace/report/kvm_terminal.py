"""The report on KVM recordings on a terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spetrace.report.kvm_view import KvmView
from spetrace.report.profile_section import Section


@dataclass(frozen=True)
class KvmReport:
    """What rich draws; it asks for the width when it is drawn."""

    view: KvmView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The report's parts from top to bottom."""
        view = self.view
        yield Text(view.title, style="bold")
        yield from (Text(text, style="bold red") for text in view.cautions)
        yield Text()
        yield from (Text(text) for text in view.answer)
        losses = [
            (
                f"{loss.severity} {loss.counter} ({loss.source})",
                f"{loss.text}; remedy: {loss.remedy}",
            )
            for loss in view.losses
        ]
        nothing = [("none", "nothing that the inputs tell of")]
        yield from _listed("Lost or odd in the recording", losses or nothing)
        yield from _listed("Assumed", ((f"{a.name} = {a.value}", a.text) for a in view.assumptions))
        for section in view.sections:
            yield Text(f"\n{section.title}", style="bold")
            yield _table(section)
            if section.note:
                yield Text(section.note, style="dim")


def render_kvm(view: KvmView) -> RenderableType:
    """The report for rich's console."""
    return KvmReport(view)


def _table(section: Section) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for heading in section.headings:
        table.add_column(
            heading.text,
            justify="left" if heading.is_text else "right",
            no_wrap=not heading.is_text,
            overflow="fold",
            vertical="top",
        )
    for row in section.rows:
        table.add_row(*map(Text, row))
    return table


def _listed(title: str, items: Iterable[tuple[str, str]]) -> Iterator[RenderableType]:
    lines = [Text.assemble((f"{name}: ", "bold"), text) for name, text in items]
    if lines:
        yield Text(f"\n{title}", style="bold")
    yield from (Padding(line, (0, 0, 0, 2)) for line in lines)
