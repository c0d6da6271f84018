"""What a run comes to: every number and sentence of a report, computed once; formats only draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spetrace.report.answer import answer
from spetrace.report.answer_basis import on_fidelity, rests_on
from spetrace.report.basis import (
    AssumptionLine,
    CostLine,
    InputLine,
    LossLine,
    assumption_lines,
    cautions,
    cost_lines,
    facts,
    input_lines,
    loss_lines,
    span_ns,
)
from spetrace.report.charts.fidelity_marks import Measure, measures_of
from spetrace.report.counters import of_vm, strategies_of, totals, vms_of
from spetrace.report.figures import OVERVIEW, with_derived
from spetrace.report.groups import Group, compare_group, compare_groups
from spetrace.report.notes import notes
from spetrace.report.units import render_time
from spetrace.report.wording import count_of, printable
from spetrace.tables.run import Run

VM_TABLES = 16
"""VMs that get tables of their own; all are in results.parquet and report.json."""


@dataclass(frozen=True)
class StrategyLine:
    """What a strategy is: its sentence, where it was proposed, what it needs."""

    name: str
    bound: str | None
    """"upper", "lower" or None."""
    doc: str
    origin: str
    requires: str

    @property
    def label(self) -> str:
        """Its name, with its bound where it is one."""
        return f"{self.name} [{self.bound}]" if self.bound else self.name


@dataclass(frozen=True)
class Scope:
    """The tables over the whole session or over one VM."""

    title: str
    """"VM 3", "All VMs"; "" where there is one VM."""
    groups: tuple[Group, ...]

    def caption(self, titles: Sequence[str]) -> str:
        """A table's caption: what it holds, and of which VM."""
        held = ", ".join(titles)
        return f"{self.title}: {held}" if self.title else held


@dataclass(frozen=True)
class Comparison:
    """A report's content in the order in which it is shown."""

    title: str
    cautions: tuple[str, ...]
    """What the recording itself lost, in a sentence each, before all else."""
    answer: tuple[str, ...]
    rests_on: str
    """What the answer was made from, in a sentence."""
    overview: Group
    """The whole session by the columns that a choice is made by."""
    fidelity: tuple[Measure, ...]
    """What losing records does to the profile; none where no records could be compared."""
    fidelity_left_out: str
    """Why none could be compared, where that is known."""
    losses: tuple[LossLine, ...]
    assumptions: tuple[AssumptionLine, ...]
    costs: tuple[CostLine, ...]
    """What each cost rests on, where any was measured or read from a file."""
    inputs: tuple[InputLine, ...]
    facts: tuple[tuple[str, str], ...]
    """Name and value: span, command line, parameters, versions."""
    scopes: tuple[Scope, ...]
    """The whole session, then each VM where there are several."""
    notes: tuple[str, ...]
    """Where columns can't be compared, and how to read them."""
    excluded: tuple[tuple[str, str], ...]
    """Strategies that were left out, with the reason."""
    strategies: tuple[StrategyLine, ...]


def compare(run: Run) -> Comparison:
    """All that a report on `run` shows."""
    strategies = _strategy_lines(run)
    total = totals(run)
    losses = loss_lines(run)
    measures = tuple(measures_of(run))
    return Comparison(
        title=_title(run, strategies, total),
        cautions=cautions(losses),
        answer=(
            *answer(total, {line.name: line.bound for line in strategies}),
            *on_fidelity(measures),
        ),
        rests_on=rests_on(run.session, losses),
        overview=compare_group(OVERVIEW, _with_derived(run, total), strategies),
        fidelity=measures,
        fidelity_left_out=printable(run.session.get("fidelity_left_out") or ""),
        losses=losses,
        assumptions=assumption_lines(run.session),
        costs=cost_lines(run.session),
        inputs=input_lines(run.session),
        facts=facts(run.session),
        scopes=_scopes(run, strategies, total),
        notes=notes(total, strategies, len(vms_of(run)), VM_TABLES),
        excluded=tuple(
            (printable(name), printable(reason))
            for name, reason in run.session.get("excluded", {}).items()
        ),
        strategies=strategies,
    )


def _strategy_lines(run: Run) -> tuple[StrategyLine, ...]:
    about = {printable(k): v for k, v in run.session.get("strategies", {}).items()}
    return tuple(_strategy_line(name, about.get(name, {})) for name in strategies_of(run))


def _strategy_line(name: str, about: Mapping[str, Any]) -> StrategyLine:
    requires = about.get("requires") or ()
    requires = requires if isinstance(requires, str) else "; ".join(requires)
    doc, origin = (printable(about.get(key) or "") for key in ("doc", "origin"))
    bound = about.get("bound") if about.get("bound") in ("upper", "lower") else None
    return StrategyLine(name, bound, doc, origin, printable(requires))


def _scopes(
    run: Run, strategies: tuple[StrategyLine, ...], total: Mapping[str, Mapping[str, int]]
) -> tuple[Scope, ...]:
    vms = vms_of(run)
    several = len(vms) > 1
    tables = {"All VMs" if several else "": total}
    for vm in vms[:VM_TABLES] if several else ():
        tables[f"VM {vm}"] = of_vm(run, vm)
    return tuple(
        Scope(title, compare_groups(_with_derived(run, rows), strategies))
        for title, rows in tables.items()
    )


def _with_derived(run: Run, rows: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    span = span_ns(run.session)
    return {strategy: with_derived(counters, span) for strategy, counters in rows.items()}


def _title(
    run: Run, strategies: tuple[StrategyLine, ...], total: Mapping[str, Mapping[str, int]]
) -> str:
    records = max((row["records"] for row in total.values()), default=0)
    parts = [
        count_of(len(strategies), "strategy"),
        count_of(records, "sample record"),
        count_of(len(vms_of(run)), "VM"),
    ]
    if span := span_ns(run.session):
        parts.append(render_time(span))
    return ", ".join(parts)
