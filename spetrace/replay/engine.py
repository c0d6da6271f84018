"""The replay: one pass over an event log, under every strategy at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from spetrace.errors import NothingToReplayError
from spetrace.replay.outcomes import RecordOutcomes
from spetrace.replay.page_map import PageRange
from spetrace.replay.parameters import Parameters
from spetrace.replay.run_tables import build_run, outcome_table, record_outcomes
from spetrace.replay.simulation import STAGE2, Simulation
from spetrace.replay.stage1 import Stage1
from spetrace.replay.strategies import STRATEGIES
from spetrace.replay.strategy import Strategy
from spetrace.replay.timeline import Item, Timeline, build_timeline
from spetrace.tables.run import Run

_REPORT_EVERY = 1 << 12


def replay(
    events: pa.Table,
    parameters: Parameters,
    strategies: Sequence[type[Strategy]] | None = None,
    *,
    outcomes: bool = False,
    observe: Callable[[RecordOutcomes], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Replay table `events` (sorted by ts) under `strategies` (all by default).

    `progress` is called with the fraction that is done. `outcomes` asks for table outcomes, a row
    per record and strategy; `observe` is called with the same in a byte each. Raises NothingToReplayError for an empty log.
    """
    if not events.num_rows:
        raise NothingToReplayError("the event log is empty: there is nothing to replay")
    kept = outcomes or observe is not None
    timeline = build_timeline(events, parameters.page_size, kept)
    return replay_timeline(
        timeline, parameters, strategies, outcomes=outcomes, observe=observe, progress=progress
    )


def replay_timeline(
    timeline: Timeline,
    parameters: Parameters,
    strategies: Sequence[type[Strategy]] | None = None,
    *,
    outcomes: bool = False,
    observe: Callable[[RecordOutcomes], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Replay an event log that was prepared before, with the page size of `parameters`.

    Outcomes can be asked for where it was prepared for them. Otherwise as `replay`.
    """
    stage1 = {vm: Stage1() for vm in timeline.starts}
    simulations = [
        Simulation(timeline, parameters, strategy(parameters), stage1)
        for strategy in (STRATEGIES if strategies is None else strategies)
    ]
    _walk(timeline, simulations, stage1, parameters.page_size, progress)
    for simulation in simulations:
        simulation.finish()
    run = build_run(simulations, timeline, parameters)
    if kept := record_outcomes(simulations, timeline):
        run.outcomes = outcome_table(kept) if outcomes else None
        if observe:
            observe(kept)
    return run


def _walk(
    timeline: Timeline,
    simulations: list[Simulation],
    stage1: dict[int, Stage1],
    page_size: int,
    progress: Callable[[float], None] | None,
) -> None:
    near = [s for s in simulations if s.strategy.has_stage2]
    far = [s for s in near if s.strategy.pins_whole_vm]
    starts = sorted((place, ts, vm) for vm, (place, ts) in timeline.starts.items())
    for number, item in enumerate(timeline.items()):
        while starts and starts[0][0] <= item.place:
            _start(simulations, *starts.pop(0), item.place)
        concerned = simulations
        if item.kind in STAGE2:
            concerned = near if item.near else far
        for simulation in concerned:
            simulation.reach(item)
        remapped = _remap(stage1[item.vm], item, page_size)
        for simulation in concerned:
            simulation.apply(item, remapped)
        if progress and number % _REPORT_EVERY == 0:
            progress(item.place / timeline.count)
    for start in starts:
        _start(simulations, *start, timeline.count)


def _start(simulations: list[Simulation], place: int, ts: int, vm: int, item_place: int) -> None:
    for simulation in simulations:
        simulation.start_vm(vm, place, ts, alone=place < item_place)


def _remap(stage1: Stage1, item: Item, page_size: int) -> list[PageRange]:
    """Let a stage-1 event happen, for all strategies; the VA pages whose mapping changed."""
    if not item.kind.startswith("stage1_"):
        return []
    assert item.va is not None
    assert item.pages is not None
    first = item.va // page_size
    if item.kind == "stage1_unmap":
        return stage1.unmap(first, item.pages)
    assert item.ipa is not None
    tables = tuple(table // page_size for table in item.tables or ())
    return stage1.map(first, item.pages, item.ipa // page_size, tables)
