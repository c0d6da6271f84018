"""What each cost of a replay rests on: measured, read from a file, given, or a default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from spetrace.replay.parameters import Costs, Parameters
from spetrace.session.costs import MEASURED, measure_costs
from spetrace.session.costs_toml import read_costs
from spetrace.tables.costs import CostBasis
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.session import Assumption
from spetrace.tables.stage2_faults import STAGE2_FAULTS

DEFAULTS: Final[dict[str, int]] = asdict(Costs())


def find_costs(source: str | None, tables: Callable[[], Mapping[str, pa.Table]]) -> list[CostBasis]:
    """The costs that `--costs` asks for: none, MEASURED from `tables`, or those of a file.

    Raises InputError for a file that can't be read.
    """
    if source is None:
        return []
    if source != MEASURED:
        return read_costs(Path(source), DEFAULTS)
    held = tables()
    return measure_costs(
        held.get(KVM_EXITS.name, KVM_EXITS.empty()),
        held.get(STAGE2_FAULTS.name, STAGE2_FAULTS.empty()),
    )


def known(costs: Sequence[CostBasis]) -> dict[str, int]:
    """The costs that have a value, as a session line holds them."""
    return {cost.name: cost.ns for cost in costs if cost.ns is not None}


def complete(
    found: Sequence[CostBasis],
    used: Parameters,
    given: Mapping[str, int],
    logged: Mapping[str, int],
) -> list[CostBasis]:
    """Every cost as a replay has `used` it, with its basis: `found`, `given` by --cost, or `logged` by an
    event log's first line; else a default.
    """
    by_name = {cost.name: cost for cost in found}
    return [
        _one(name, ns, by_name.get(name), given, logged) for name, ns in asdict(used.costs).items()
    ]


def _one(
    name: str,
    ns: int,
    found: CostBasis | None,
    given: Mapping[str, int],
    logged: Mapping[str, int],
) -> CostBasis:
    if name in given:
        return CostBasis(name, ns, "given", "By --cost.")
    if found and found.ns is not None:
        return found
    if name in logged:
        return CostBasis(name, ns, "event log", "By the event log's first line.")
    return replace(found or CostBasis(name, None, "default"), ns=ns)


def assumptions(costs: Sequence[CostBasis], source: str | None) -> list[Assumption]:
    """A line per cost that was found, and one for the rest; none where nothing was asked for."""
    if source is None:
        return []
    lines = [Assumption(f"costs.{c.name}", str(c.ns), _sentence(c)) for c in costs if c.text]
    rest = ", ".join(f"{c.name} {c.ns}" for c in costs if not c.text)
    if rest:
        why = "a KVM trace does not tell them" if source == MEASURED else "the file has none"
        lines.append(Assumption("costs", rest, f"The defaults: {why}."))
    return lines


def _sentence(cost: CostBasis) -> str:
    if cost.basis == "default":
        return f"The default. {cost.text}"
    if cost.count is None:
        return cost.text
    return (
        f"{cost.text} n {cost.count:,}, p50 {cost.p50_ns:,} ns, p90 {cost.p90_ns:,} ns, "
        f"p99 {cost.p99_ns:,} ns."
    )
