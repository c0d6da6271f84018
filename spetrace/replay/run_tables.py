"""What the simulations counted, as the tables of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from spetrace.replay.counters import Counters
from spetrace.replay.log_columns import Places, gather
from spetrace.replay.outcomes import NO_ROW, RecordOutcomes
from spetrace.replay.parameters import Parameters
from spetrace.replay.simulation import Simulation
from spetrace.replay.streams import Stream
from spetrace.replay.timeline import Timeline
from spetrace.tables.results import ABORTS, BLACKOUTS, OUTCOME, OUTCOMES, PINNED, RESULTS
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


def record_outcomes(simulations: Sequence[Simulation], timeline: Timeline) -> RecordOutcomes | None:
    """What became of each record, where it was kept: the simulations' own codes, in log order."""
    places = timeline.record_places
    if places is None:
        return None
    order = _log_order(timeline.streams)
    for simulation in simulations if order is not None else ():
        simulation.outcomes[:] = simulation.outcomes[order]
    rows = gather(timeline.events["row"], places, np.uint64, absent=NO_ROW)
    return RecordOutcomes(rows, {s.strategy.name: s.outcomes for s in simulations})


def outcome_table(outcomes: RecordOutcomes) -> pa.Table:
    """Table outcomes."""
    names, strategies = pa.array(OUTCOMES), pa.array(list(outcomes.codes))
    rows = pa.array(outcomes.rows, mask=outcomes.rows == NO_ROW)
    batches = []
    for number, codes in enumerate(outcomes.codes.values()):
        strategy = pa.DictionaryArray.from_arrays(
            pa.array(np.full(len(codes), number, np.int32)), strategies
        )
        outcome = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names)
        batches.append(pa.RecordBatch.from_arrays([strategy, rows, outcome], schema=OUTCOME.schema))
    return pa.Table.from_batches(batches, schema=OUTCOME.schema)


def _log_order(streams: Sequence[Stream]) -> Places | None:
    """The log's order of the records of all streams, in each the eligible ones before the others."""
    places = [places for stream in streams for places in (stream.eligible, stream.others)]
    filled = [each for each in places if len(each)]
    if len(filled) < 2:
        return None
    return np.argsort(np.concatenate(filled), kind="stable").astype(filled[0].dtype)
