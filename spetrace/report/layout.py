"""How the groups of a comparison go into tables of a limited width: stacked, never cut.

Groups share a table where they fit side by side; a group that is too wide by itself goes on in the
next table. A counter and its percentage stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spetrace.report.figures import Figure
from spetrace.report.groups import Group, Row


@dataclass(frozen=True)
class TableColumn:
    """One column, as text: the lines of its heading and its cells."""

    heading: tuple[str, ...]
    cells: tuple[str, ...]
    share: bool

    @property
    def width(self) -> int:
        """Its widest line."""
        return max(map(len, (*self.heading, *self.cells)))


@dataclass
class Block:
    """One table: its groups' titles, and columns over the rows."""

    rows: Sequence[Row]
    titles: list[str] = field(default_factory=list)
    columns: list[TableColumn] = field(default_factory=list)

    @property
    def label_width(self) -> int:
        """Width of the column of strategies."""
        return max((len(row.label) for row in self.rows), default=0)

    def room(self, limit: int, gap: int, share_gap: int) -> int:
        """Characters that are left of `limit`."""
        used = sum(c.width + (share_gap if c.share else gap) for c in self.columns)
        return limit - self.label_width - used


def lay_out(groups: Sequence[Group], limit: int, gap: int, share_gap: int) -> list[Block]:
    """The tables that show `groups` in `limit` characters.

    `gap` are the characters between columns, `share_gap` those before a percentage.
    """
    blocks: list[Block] = []
    for group in groups:
        bundles = _bundles(group)
        whole = sum(_width(bundle, gap, share_gap) for bundle in bundles)
        for bundle in bundles:
            needed = whole if bundle is bundles[0] else _width(bundle, gap, share_gap)
            if not blocks or blocks[-1].room(limit, gap, share_gap) < needed:
                blocks.append(Block(group.rows))
            if group.title not in blocks[-1].titles:
                blocks[-1].titles.append(group.title)
            blocks[-1].columns.extend(bundle)
    return blocks


def _bundles(group: Group) -> list[list[TableColumn]]:
    """The group's columns, those together that must not be parted."""
    bundles: list[list[TableColumn]] = []
    for i, figure in enumerate(group.figures):
        column = _column(figure, tuple(row.cells[i].text for row in group.rows))
        if figure.share:
            bundles[-1].append(column)
        else:
            bundles.append([column])
    return bundles


def _column(figure: Figure, cells: tuple[str, ...]) -> TableColumn:
    return TableColumn(tuple(figure.heading.split("\n")), cells, figure.share)


def _width(bundle: Sequence[TableColumn], gap: int, share_gap: int) -> int:
    return sum(c.width + (share_gap if c.share else gap) for c in bundle)
