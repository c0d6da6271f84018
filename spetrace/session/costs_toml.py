"""Costs as TOML: one `name_ns = integer` per line, what `spetrace costs` prints and --costs reads."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from spetrace.errors import InputError
from spetrace.session.side_file import read_side_file
from spetrace.tables.costs import CostBasis

STRUCTURE: Final = "costs"
_LARGEST: Final = 10**12


def parse_costs(source: str, names: Collection[str]) -> dict[str, int]:
    """Costs in ns by name, each of which must be in `names`.

    Raises InputError with the key, or the parser's own words.
    """
    try:
        values = tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        raise InputError(STRUCTURE, str(error)) from error
    for name, value in values.items():
        if name not in names:
            raise InputError(STRUCTURE, f"{name}: no such cost; there are {', '.join(names)}")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
            raise InputError(STRUCTURE, f"{name}: is no integer from 0 to {_LARGEST} (ns)")
    return values


def read_costs(path: Path, names: Collection[str]) -> list[CostBasis]:
    """The costs of a file; raises InputError with file and key."""
    try:
        values = parse_costs(read_side_file(path, STRUCTURE), names)
    except InputError as error:
        raise error.in_file(str(path)) from error
    return [CostBasis(name, ns, "file", f"From {path}.") for name, ns in values.items()]


def render_costs(costs: Sequence[CostBasis], origin: str) -> str:
    """The costs as TOML; what was not measured is a comment with its default.

    `origin` says what they are of, in a line.
    """
    lines = [
        f"# Costs in ns, measured from {origin}.",
        "# spetrace replay ... --costs THIS-FILE",
        "",
    ]
    for cost in costs:
        measured = cost.count is not None
        if measured:
            lines.append(
                f"# n {cost.count:,}, p50 {cost.p50_ns:,}, p90 {cost.p90_ns:,}, p99 {cost.p99_ns:,}"
            )
        lines += [f"# {cost.text or 'The default.'}"]
        lines += [f"{'' if measured else '# '}{cost.name} = {cost.ns}", ""]
    return "\n".join(lines)
