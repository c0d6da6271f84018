"""Which strategies there are."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from spetrace.replay.strategy import Strategy
from spetrace.replay.strategy_guide import choose, describe

Chosen = str | Sequence[str | type[Strategy]]
"""Names of strategies ("all", or separated by commas), or a list of names and classes."""


def strategies() -> pl.DataFrame:
    """The strategies that a replay can run: name, doc, origin, what it needs, which bound it is.

    >>> import spetrace
    >>> spetrace.strategies().filter(bound="upper")["name"].to_list()
    ['bare-metal']
    """
    return pl.DataFrame(describe())


def chosen_strategies(chosen: Chosen) -> list[type[Strategy]]:
    """The classes that `chosen` names, and the bounds, which are always among them.

    Raises UsageError for a name that there is not.
    """
    if isinstance(chosen, str):
        return choose(chosen)
    names = [each for each in chosen if isinstance(each, str)]
    classes = [each for each in chosen if not isinstance(each, str)]
    return choose(",".join(names) if names else _BOUNDS, classes=classes)


_BOUNDS = "bare-metal"
