"""A comparison as mail text: 72 columns of plain ASCII, fit for a kernel mailing list."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from spetrace.report.basis import CostLine
from spetrace.report.comparison import Comparison, Scope, StrategyLine
from spetrace.report.fidelity_text import TITLE, FidelityText, fidelity_text
from spetrace.report.layout import Block, TableColumn, lay_out

WIDTH = 72
_GAP, _SHARE_GAP = 2, 1
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(%|[KMGT]?i?B|[num]?s)\b|%)")
_GLUE = "\0"
"""Stands for a blank at which no line may break."""


def render_mail(comparison: Comparison) -> str:
    """The report as text; every line has at most 72 characters and ends without blanks."""
    lines = [
        *_wrapped(comparison.title),
        *(line for text in comparison.cautions for line in ("", *_wrapped(text))),
        *(line for text in comparison.answer for line in ("", *_wrapped(text))),
        *_basis(comparison),
        *(line for scope in comparison.scopes for line in _scope(scope)),
        *_fidelity(fidelity_text(comparison.fidelity, comparison.fidelity_left_out)),
        *_section("Notes", comparison.notes),
        *_section("Left out", (f"{name}: {reason}" for name, reason in comparison.excluded)),
        *_section("Requirements", (f"{s.name}: {s.requires}" for s in comparison.strategies if s.requires)),
        *_section("Strategies", (_about(s) for s in comparison.strategies)),
        "",
        "Exact values: report.json.",
    ]  # fmt: skip
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _basis(comparison: Comparison) -> Iterator[str]:
    losses = [
        f"{loss.severity}: {loss.counter} ({loss.source}): {loss.text}; remedy: {loss.remedy}"
        for loss in comparison.losses
    ]
    yield from _section(
        "Lost or odd in the recording", losses or ["nothing that the inputs tell of"]
    )
    yield from _section(
        "Assumed", (f"{a.name} = {a.value}: {a.text}" for a in comparison.assumptions)
    )
    if comparison.costs:
        yield from ("", *_heading("Costs"), *_costs(comparison.costs))
    inputs = (
        ", ".join(filter(None, (i.name, i.format, i.size, i.sha256 and f"sha256 {i.sha256[:12]}")))
        for i in comparison.inputs
    )
    yield from _section("Input", inputs)
    yield from _section("Replay", (f"{name}: {value}" for name, value in comparison.facts))


def _costs(costs: Iterable[CostLine]) -> Iterator[str]:
    """Names and bases to the left, numbers to the right, percentiles close together."""
    rows = [CostLine.HEADINGS, *(cost.cells for cost in costs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        name, ns, basis, *numbers = (
            text.ljust(width) if column in (0, 2) else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"{name}  {ns}  {basis}  {' '.join(numbers)}"


def _scope(scope: Scope) -> Iterator[str]:
    for block in lay_out(scope.groups, WIDTH, _GAP, _SHARE_GAP):
        yield from ("", *_heading(scope.caption(block.titles)), *_table(block))
    if left_out := [name for group in scope.groups for name in group.left_out]:
        yield from ("", *_wrapped(f"0 for every strategy: {', '.join(left_out)}."))


def _table(block: Block) -> Iterator[str]:
    height = max((len(c.heading) for c in block.columns), default=0)
    for i in range(height):
        yield "".join(
            [
                " " * block.label_width,
                *(_padded(c, _heading_line(c, i, height)) for c in block.columns),
            ]
        )
    for i, row in enumerate(block.rows):
        yield "".join(
            [row.label.ljust(block.label_width), *(_padded(c, c.cells[i]) for c in block.columns)]
        )


def _fidelity(text: FidelityText | None) -> Iterator[str]:
    if text is None:
        return
    yield from _section(TITLE, text.notes)
    if text.rows:
        height = max(map(len, text.headings))
        heads = [[*[""] * (height - len(lines)), *lines] for lines in text.headings]
        yield ""
        for row in (*zip(*heads, strict=True), *text.rows):
            name, *cells = (
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, text.widths, strict=True))
            )
            yield f"  {name}{''.join(' ' + cell for cell in cells)}"


def _heading_line(column: TableColumn, line: int, height: int) -> str:
    """Headings stand on the last line."""
    above = height - len(column.heading)
    return column.heading[line - above] if line >= above else ""


def _padded(column: TableColumn, text: str) -> str:
    return " " * (_SHARE_GAP if column.share else _GAP) + text.rjust(column.width)


def _section(title: str, items: Iterable[str]) -> Iterator[str]:
    items = list(items)
    if items:
        yield from ("", *_heading(title))
    for item in items:
        yield from _wrapped(item, "- ", "  ")


def _heading(title: str) -> list[str]:
    return [*_wrapped(title), "-" * min(len(title), WIDTH)]


def _about(strategy: StrategyLine) -> str:
    about = f"{strategy.name}: {strategy.doc}" if strategy.doc else strategy.name
    return f"{about} [{strategy.origin}]" if strategy.origin else about


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    plain = text.encode("ascii", "backslashreplace").decode()
    lines = textwrap.wrap(
        _BEFORE_UNIT.sub(_GLUE, plain),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]
