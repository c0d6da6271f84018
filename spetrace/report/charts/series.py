"""What a strategy looks like in every chart, and the rows of a table that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl
import pyarrow as pa

from spetrace.report.counters import strategies_of
from spetrace.report.plotly_page import PALETTE
from spetrace.report.wording import printable
from spetrace.tables.run import Run

_BOUND_COLOUR: Final = "--soft"
_DASHES: Final = ("solid", "dash", "dot")


def bounds_of(run: Run) -> dict[str, str | None]:
    """Each strategy's bound ("upper", "lower" or None), in the run's order."""
    about = {printable(k): v for k, v in run.session.get("strategies", {}).items()}
    bounds = ((name, about.get(name, {}).get("bound")) for name in strategies_of(run))
    return {name: bound if bound in ("upper", "lower") else None for name, bound in bounds}


def lines_of(run: Run) -> dict[str, dict[str, str]]:
    """Each strategy's line: a colour, and another dash for each time that the colours are used up."""
    lines, place = {}, 0
    for name, bound in bounds_of(run).items():
        if bound:
            lines[name] = {"color": _BOUND_COLOUR, "dash": "dot" if bound == "lower" else "dash"}
        else:
            dash = _DASHES[place // len(PALETTE) % len(_DASHES)]
            lines[name] = {"color": PALETTE[place % len(PALETTE)], "dash": dash}
            place += 1
    return lines


def by_strategy(
    run: Run, table: pa.Table, columns: list[str]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of `table` of each strategy that has any, in the run's order."""
    frame = pl.DataFrame(pl.from_arrow(table.select(["strategy", *columns])))
    parts = frame.partition_by("strategy", as_dict=True, include_key=False)
    found = {printable(key[0]): part for key, part in parts.items()}
    yield from ((name, found[name]) for name in strategies_of(run) if name in found)
