"""Expressions that depend on the CPU model where CPUs of several models took the records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import polars as pl

Midrs = int | Mapping[int | None, int] | None
"""MIDR_EL1 of every CPU, or by CPU with that of all others under None; None where unknown."""

Kind = TypeVar("Kind", bound=Hashable)


def by_cpu(
    midrs: Midrs,
    cpu: pl.Expr,
    kind_of: Callable[[int | None], Kind],
    make: Callable[[Kind], pl.Expr],
) -> pl.Expr:
    """The expression that `make` gives for each CPU's kind, chosen by `cpu` where kinds differ.

    Where all MIDRs are of one kind it holds for records of any CPU, also of none (per-thread
    recordings).
    """
    if not isinstance(midrs, Mapping):
        return make(kind_of(midrs))
    kinds = {number: kind_of(midr) for number, midr in midrs.items()}
    rest = kinds[None] if None in kinds else kind_of(None)
    distinct = list(dict.fromkeys(kinds.values()))
    if len(distinct) <= 1:
        return make(distinct[0] if distinct else rest)
    chosen = make(rest)
    for kind in distinct:
        if kind != rest:
            cpus = [n for n, k in kinds.items() if k == kind and n is not None]
            chosen = pl.when(cpu.cast(pl.Int64).is_in(cpus)).then(make(kind)).otherwise(chosen)
    return chosen
