"""What a shell offers for the values of options; each is imported when the shell asks."""

from __future__ import annotations


def complete_strategy(incomplete: str) -> list[str]:
    """The strategies that begin so."""
    from spetrace.replay.strategies import STRATEGIES

    return [each.name for each in STRATEGIES if each.name.startswith(incomplete)]


def complete_strategies(incomplete: str) -> list[str]:
    """What may follow in a list of strategies: those that begin as its last word and are not in it."""
    *chosen, last = incomplete.split(",")
    offered = complete_strategy(last) + (["all"] if not chosen and "all".startswith(last) else [])
    return [",".join([*chosen, name]) for name in offered if name not in chosen]


def complete_table(incomplete: str) -> list[str]:
    """The published tables that begin so."""
    from spetrace.tables.catalog import TABLES

    return [name for name in TABLES if name.startswith(incomplete)]


def complete_cost(incomplete: str) -> list[str]:
    """The costs that begin so, each with its equals sign."""
    from dataclasses import fields

    from spetrace.replay.parameters import Costs

    return [f"{each.name}=" for each in fields(Costs) if each.name.startswith(incomplete)]
