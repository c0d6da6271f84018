"""The replay: one pass over an event log, under every strategy at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from spetrace.replay.items import Item, iter_items
from spetrace.replay.outcomes import OutcomeCodes
from spetrace.replay.page_map import PageRange
from spetrace.replay.parameters import Parameters
from spetrace.replay.record_outcomes import RecordOutcomes
from spetrace.replay.run_tables import build_run
from spetrace.replay.simulation import STAGE2, Simulation
from spetrace.replay.stage1 import Stage1
from spetrace.replay.strategies import STRATEGIES
from spetrace.replay.strategy import Strategy
from spetrace.replay.timeline import WINDOW_EVENTS, Timeline, build_timeline
from spetrace.replay.window import Window
from spetrace.tables.run import Run

_REPORT_EVERY = 1 << 12
Observer = Callable[[RecordOutcomes], None]


def replay(
    events: pa.Table | Iterable[pa.RecordBatch],
    parameters: Parameters,
    strategies: Sequence[type[Strategy]] | None = None,
    *,
    outcomes: bool = False,
    observe: Observer | None = None,
    progress: Callable[[float], None] | None = None,
    window_events: int = WINDOW_EVENTS,
) -> Run:
    """Replay table `events` (sorted by ts), or batches of one, under `strategies` (all by default).

    Batches are taken once; what is held of a long log at a time is a window of `window_events`, which
    makes no difference to the run. `progress` is called with the fraction that is done. `outcomes`
    asks for table outcomes, a row per record and strategy; `observe` is called with the same in a byte
    each. Raises NothingToReplayError for an empty log, OutputError where the system has no room for
    a long one in its temporary folder.
    """
    kept = outcomes or observe is not None
    timeline = build_timeline(
        events, parameters.page_size, outcomes=kept, window_events=window_events
    )
    return replay_timeline(
        timeline, parameters, strategies, outcomes=outcomes, observe=observe, progress=progress
    )


def replay_timeline(
    timeline: Timeline,
    parameters: Parameters,
    strategies: Sequence[type[Strategy]] | None = None,
    *,
    outcomes: bool = False,
    observe: Observer | None = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Replay an event log that was prepared before, with the page size of `parameters`.

    Outcomes can be asked for where it was prepared for them. Otherwise as `replay`.
    """
    stage1 = {vm: Stage1() for vm in timeline.starts}
    simulations = [
        Simulation(
            timeline,
            parameters,
            strategy(parameters),
            stage1,
            OutcomeCodes() if timeline.has_rows else None,
        )
        for strategy in (STRATEGIES if strategies is None else strategies)
    ]
    _Walk(timeline, simulations, stage1, parameters.page_size, progress).run()
    for simulation in simulations:
        simulation.finish()
    run = build_run(simulations, timeline, parameters)
    if timeline.has_rows:
        kept = RecordOutcomes(
            timeline.windows, {s.strategy.name: s.codes for s in simulations if s.codes}
        )
        run.outcomes = kept.table() if outcomes else None
        if observe:
            observe(kept)
    return run


class _Walk:
    """The way of all simulations through a timeline."""

    def __init__(
        self,
        timeline: Timeline,
        simulations: list[Simulation],
        stage1: dict[int, Stage1],
        page_size: int,
        progress: Callable[[float], None] | None,
    ) -> None:
        self._timeline = timeline
        self._simulations = simulations
        self._stage1 = stage1
        self._page_size = page_size
        self._progress = progress
        self._near = [s for s in simulations if s.strategy.has_stage2]
        self._far = [s for s in self._near if s.strategy.pins_whole_vm]
        self._first = 0
        """Place in the log of the window's first event."""
        self._starts = sorted((place, ts, vm) for vm, (place, ts) in timeline.starts.items())
        """Of the VMs that are to come."""

    def run(self) -> None:
        """Walk all windows."""
        for window in self._timeline.windows:
            for simulation in self._simulations:
                simulation.enter(window)
            self._walk(window)
            self._start_until(window.count, window.count)
            for simulation in self._simulations:
                simulation.leave()
            self._first += window.count

    def _walk(self, window: Window) -> None:
        items = iter_items(window.items, self._timeline.near.mark(window.items))
        for number, item in enumerate(items):
            self._start_until(item.place + 1, item.place)
            self._apply(item)
            if self._progress and number % _REPORT_EVERY == 0:
                self._progress((self._first + item.place) / self._timeline.count)

    def _start_until(self, place: int, item_place: int) -> None:
        """Start the VMs whose first event lies before `place` of the window."""
        while self._starts and self._starts[0][0] - self._first < place:
            at, ts, vm = self._starts.pop(0)
            at -= self._first
            for simulation in self._simulations:
                simulation.start_vm(vm, at, ts, alone=at < item_place)

    def _apply(self, item: Item) -> None:
        concerned = self._simulations
        if item.kind in STAGE2:
            concerned = self._near if item.near else self._far
        for simulation in concerned:
            simulation.reach(item)
        remapped = _remap(self._stage1[item.vm], item, self._page_size)
        for simulation in concerned:
            simulation.apply(item, remapped)


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
