"""A comparison on a terminal, by rich: tables stacked or side by side as the width allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spetrace.report.basis import CostLine, LossLine
from spetrace.report.comparison import Comparison, Scope
from spetrace.report.fidelity_text import NOISE, TITLE, FidelityText, fidelity_text
from spetrace.report.groups import Row
from spetrace.report.layout import Block, lay_out

_GAP = 3
_WORDS = ("cost", "basis")
_SEVERITY_STYLES = {"data_loss": "bold red", "warning": "yellow"}


@dataclass(frozen=True)
class TerminalReport:
    """What rich draws; it asks for the width when it is drawn."""

    comparison: Comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The report's parts from top to bottom."""
        comparison = self.comparison
        yield Text(comparison.title, style="bold")
        yield from (Text(text, style="bold red") for text in comparison.cautions)
        yield Text()
        yield from (Text(text) for text in comparison.answer)
        yield from _basis(comparison)
        for scope in comparison.scopes:
            yield from _scope(scope, options.max_width)
        yield from _fidelity(fidelity_text(comparison.fidelity, comparison.fidelity_left_out))
        yield from _section("Notes", (Text(note) for note in comparison.notes))
        yield from _section("Left out", (_named(*each) for each in comparison.excluded))
        yield from _section(
            "Requirements",
            (_named(s.name, s.requires) for s in comparison.strategies if s.requires),
        )


def render_terminal(comparison: Comparison) -> RenderableType:
    """The report for rich's console."""
    return TerminalReport(comparison)


def _basis(comparison: Comparison) -> Iterator[RenderableType]:
    nothing = [Text("nothing that the inputs tell of")]
    yield from _section(
        "Lost or odd in the recording", [_loss(each) for each in comparison.losses] or nothing
    )
    yield from _section(
        "Assumed", (_named(f"{a.name} = {a.value}", a.text) for a in comparison.assumptions)
    )
    if comparison.costs:
        yield Text("\nCosts", style="bold")
        yield Padding(_costs(comparison.costs), (0, 0, 0, 2))
    yield from _section(
        "Input",
        (Text(", ".join(filter(None, (i.name, i.format, i.size)))) for i in comparison.inputs),
    )
    yield from _section("Replay", (_named(*fact) for fact in comparison.facts))


def _costs(costs: Iterable[CostLine]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for heading in CostLine.HEADINGS:
        table.add_column(heading, justify="left" if heading in _WORDS else "right", no_wrap=True)
    for cost in costs:
        table.add_row(*map(Text, cost.cells), style="dim" if cost.basis == "default" else "")
    return table


def _scope(scope: Scope, width: int) -> Iterator[RenderableType]:
    for block in lay_out(scope.groups, width, _GAP, _GAP):
        yield Text()
        yield Text(scope.caption(block.titles), style="bold")
        yield _table(block)
    if left_out := [name for group in scope.groups for name in group.left_out]:
        yield Text(f"0 for every strategy: {', '.join(left_out)}.", style="dim")


def _table(block: Block) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    table.add_column("strategy", no_wrap=True, min_width=block.label_width, vertical="bottom")
    for column in block.columns:
        table.add_column(
            "\n".join(column.heading), justify="right", no_wrap=True, min_width=column.width
        )
    for i, row in enumerate(block.rows):
        cells = [Text(column.cells[i]) for column in block.columns]
        table.add_row(Text(row.label), *cells, style=_style(row))
    return table


def _fidelity(text: FidelityText | None) -> Iterator[RenderableType]:
    if text is None:
        return
    yield from _section(TITLE, map(Text, text.notes))
    if text.rows:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
        for i, lines in enumerate(text.headings):
            table.add_column(
                "\n".join(lines), justify="right" if i else "left", no_wrap=True, vertical="bottom"
            )
        for row in text.rows:
            table.add_row(*map(Text, row), style="dim" if row[0] == NOISE else "")
        yield Padding(table, (1, 0, 0, 2))


def _style(row: Row) -> str:
    if row.bound:
        return "dim"
    return "yellow" if row.loses else ""


def _loss(loss: LossLine) -> Text:
    return Text.assemble(
        (f"{loss.severity} ", _SEVERITY_STYLES.get(loss.severity, "dim")),
        (f"{loss.counter} ({loss.source}): ", "bold"),
        f"{loss.text}; remedy: {loss.remedy}",
    )


def _named(name: str, text: str) -> Text:
    return Text.assemble((f"{name}: ", "bold"), text)


def _section(title: str, items: Iterable[Text]) -> Iterator[RenderableType]:
    items = list(items)
    if items:
        yield Text(f"\n{title}", style="bold")
    yield from (Padding(item, (0, 0, 0, 2)) for item in items)
