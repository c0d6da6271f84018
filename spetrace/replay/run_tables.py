"""What the simulations counted, as the tables of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spetrace.replay.counters import Counters
from spetrace.replay.parameters import Parameters
from spetrace.replay.simulation import Simulation
from spetrace.replay.timeline import Timeline
from spetrace.tables.results import ABORTS, BLACKOUTS, PINNED, RESULTS
from spetrace.tables.run import Run


def build_run(simulations: Sequence[Simulation], timeline: Timeline, parameters: Parameters) -> Run:
    """The run of finished simulations, without outcomes."""
    return Run(
        results=RESULTS.from_rows([row for s in simulations for row in _results(s)]),
        blackouts=BLACKOUTS.from_rows(
            [
                (s.strategy.name, b.vm, b.vcpu, b.start_ns, b.end_ns, b.cause, b.va, b.ipa,
                 b.records_lost)
                for s in simulations for b in s.details.blackouts
            ]
        ),
        aborts=ABORTS.from_rows(
            [
                (s.strategy.name, a.vm, a.vcpu, a.ts, a.va, a.ipa, a.reason, a.records_discarded,
                 a.stopped_until_ns)
                for s in simulations for a in s.details.aborts
            ]
        ),
        pinned=PINNED.from_rows(
            [(s.strategy.name, *row) for s in simulations for row in s.details.pinned]
        ),
        session={
            "parameters": parameters.to_json(),
            "strategies": {s.strategy.name: _facts(s) for s in simulations},
            "span_ns": list(timeline.span),
        },
    )  # fmt: skip


def _results(simulation: Simulation) -> Iterable[tuple[object, ...]]:
    total = Counters()
    for number, vm in simulation.vms.items():
        total.add(vm.counters)
        yield (simulation.strategy.name, number, *vm.counters.row())
    total.pinned_bytes_peak = simulation.pinned_bytes_peak
    yield (simulation.strategy.name, None, *total.row())


def _facts(simulation: Simulation) -> dict[str, object]:
    strategy = simulation.strategy
    return {
        "doc": strategy.doc,
        "origin": strategy.origin,
        "requires": list(strategy.requires),
        "bound": strategy.bound,
    }
