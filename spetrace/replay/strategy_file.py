"""Strategies of a user's own, loaded from a Python file."""

from __future__ import annotations

import runpy
from pathlib import Path

from spetrace.errors import UsageError
from spetrace.replay.strategies import STRATEGIES
from spetrace.replay.strategy import Strategy


def load(path: Path) -> list[type[Strategy]]:
    """The strategies that a file defines: its subclasses of Strategy that have a `name`.

    Raises UsageError if the file can't be run, defines none, or takes a name that is in use.
    """
    try:
        defined = runpy.run_path(str(path), run_name=path.stem)
    except (Exception, SystemExit) as error:
        cause = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path}: the strategy file can't be loaded: {cause}") from error
    found = [
        value
        for value in defined.values()
        if isinstance(value, type)
        and issubclass(value, Strategy)
        and value.__module__ == path.stem
        and value.name
    ]
    if not found:
        raise UsageError(f"{path}: defines no subclass of Strategy that has a name")
    _check_names(path, found)
    return found


def _check_names(path: Path, found: list[type[Strategy]]) -> None:
    names = [s.name for s in STRATEGIES]
    for strategy in found:
        if strategy.name in names:
            raise UsageError(f"{path}: there is a strategy {strategy.name!r} already")
        names.append(strategy.name)
