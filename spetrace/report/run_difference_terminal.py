"""Two runs side by side on a terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spetrace.report.run_basis_difference import BasisChange
from spetrace.report.run_difference import CounterDifference, RunDifference
from spetrace.report.run_difference_conditions import Failure
from spetrace.report.run_fidelity_difference import FidelityDifference


def render_difference(difference: RunDifference, failed: Sequence[Failure] = ()) -> RenderableType:
    """The report for rich's console; `failed` are the conditions that hold."""
    return Group(*_parts(difference, failed))


def _parts(difference: RunDifference, failed: Sequence[Failure]) -> Iterator[RenderableType]:
    yield Text(difference.title, style="bold")
    for name, path in zip("AB", difference.names, strict=True):
        yield Text(f"{name}: {path}")
    for each in failed:
        yield Text(f"FAILED {each.condition}: {each.text}", style="bold red")
    yield Text("\nWhat differs in what they rest on", style="bold")
    yield Padding(_basis(difference.basis), (0, 0, 0, 2))
    yield Text()
    yield from map(Text, difference.answer)
    yield from (Text(f"{name}: {text}") for name, text in difference.only)
    if difference.changed:
        yield Text("\nCounters that differ", style="bold")
        yield _counters(difference)
    if difference.unchanged and difference.changed:
        yield Text(f"The same in all counters: {', '.join(difference.unchanged)}.", style="dim")
    if difference.changed_fidelity:
        yield Text("\nProfile fidelity that differs", style="bold")
        yield _fidelity(difference.changed_fidelity)
    yield from (Text(note, style="dim") for note in difference.notes)


def _basis(changes: Sequence[BasisChange]) -> RenderableType:
    if not changes:
        return Text("nothing")
    table = _table(BasisChange.HEADINGS, left=3)
    for change in changes:
        table.add_row(*map(Text, change.cells))
    return table


def _counters(difference: RunDifference) -> Table:
    table = _table(CounterDifference.HEADINGS, left=1)
    for strategy in difference.changed:
        table.add_row(Text(strategy.name, style="bold"))
        for counter in strategy.changed:
            name, *values = counter.cells
            table.add_row(Text(f"  {name}"), *map(Text, values))
    return table


def _fidelity(changed: Sequence[FidelityDifference]) -> Table:
    table = _table(FidelityDifference.HEADINGS, left=2)
    for each in changed:
        table.add_row(*map(Text, each.cells))
    return table


def _table(headings: Iterable[str], left: int) -> Table:
    """An empty table whose first `left` columns hold words and may wrap, but for a single one."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for place, heading in enumerate(headings):
        words = place < left
        table.add_column(
            heading,
            justify="left" if words else "right",
            no_wrap=left == 1,
            overflow="fold",
        )
    return table
