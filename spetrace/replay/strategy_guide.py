"""Which strategies there are, chosen by name and described in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spetrace.errors import UsageError
from spetrace.replay.strategies import STRATEGIES
from spetrace.replay.strategy import Strategy

_WIDTH = 88
_BOUNDS = {"upper": "the upper bound of all others", "lower": "the lower bound of all others"}


def choose(
    names: str = "all", files: Sequence[Path] = (), classes: Sequence[type[Strategy]] = ()
) -> list[type[Strategy]]:
    """The strategies of a comma-separated list (or `all`), the bounds, those of `files`, `classes`.

    In the order of the registry, those of files and `classes` last. Raises UsageError for an unknown
    name, InputError for a file that can't be loaded.
    """
    wanted = _wanted(names)
    chosen = [s for s in STRATEGIES if wanted is None or s.name in wanted or s.bound]
    for file in files:
        from spetrace.replay.strategy_file import load

        chosen += load(file)
    chosen += classes
    _check_unique(chosen)
    return chosen


def _wanted(names: str) -> set[str] | None:
    if names == "all":
        return None
    wanted = {name.strip().replace("_", "-") for name in names.split(",")}
    known = {s.name for s in STRATEGIES}
    if unknown := sorted(wanted - known):
        raise UsageError(
            f"--strategy: {unknown[0]!r} is none; there are {', '.join(sorted(known))}"
        )
    return wanted


def _check_unique(chosen: Sequence[type[Strategy]]) -> None:
    names = [s.name for s in chosen]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two strategies are named {name!r}: give yours a name of its own")


def describe(name: str | None = None) -> list[dict[str, Any]]:
    """Name, sentence, origin, requirements and bound of all strategies, or of one.

    Raises UsageError for an unknown name.
    """
    wanted = _wanted(name) if name else None
    return [
        {
            "name": s.name,
            "doc": s.doc,
            "origin": s.origin,
            "requires": list(s.requires),
            "traps_registers": s.traps_registers,
            "bound": s.bound,
        }
        for s in STRATEGIES
        if wanted is None or s.name in wanted
    ]


def render(described: Sequence[dict[str, Any]]) -> str:
    """What `describe` gives, as text."""
    return "\n\n".join(map(_render_one, described)) + "\n"


def _render_one(facts: dict[str, Any]) -> str:
    bound = f"  ({_BOUNDS[facts['bound']]})" if facts["bound"] else ""
    needs = [*facts["requires"]] + ["trapped SPE registers"] * facts["traps_registers"]
    lines = [f"{facts['name']}{bound}", _indented(facts["doc"])]
    lines += [_indented(f"From: {facts['origin']}")] if facts["origin"] else []
    lines += [_indented(f"Needs: {'; '.join(needs)}")] if needs else []
    return "\n".join(lines)


def _indented(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")
