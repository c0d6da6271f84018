"""One run of a sweep, from its prepared session to the entry that is kept of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from spetrace.errors import TraceError, UsageError
from spetrace.replay.engine import replay_timeline
from spetrace.replay.semantics import SEMANTICS_VERSION
from spetrace.replay.strategy import Strategy
from spetrace.sweep.locations import local_session
from spetrace.sweep.plan import SweepRun
from spetrace.sweep.prepared import PreparedSession
from spetrace.sweep.strategy_source import StrategySource

Entry = dict[str, Any]
"""What is kept of a run: run, seconds, parameters, and per strategy its version and rows (vm, then
the counters in the order of table results)."""

_SESSIONS_KEPT: Final = 2
_open_session = lru_cache(_SESSIONS_KEPT)(PreparedSession)


class RunFailedError(TraceError):
    """A run that ended in an error which nobody raised on purpose: a defect, as in a strategy file."""

    exit_code = 70


@dataclass(frozen=True)
class Task:
    """A run that is to be computed: where its session lies and which strategies it lacks."""

    run: SweepRun
    location: str
    """Folder of the prepared session: a path, or a URL that fsspec knows."""
    strategies: tuple[str, ...]
    source: StrategySource
    semantics: int = SEMANTICS_VERSION


@lru_cache(2)
def _strategies(source: StrategySource) -> tuple[Mapping[str, type[Strategy]], Mapping[str, str]]:
    return {strategy.name: strategy for strategy in source.load()}, source.versions()


def execute(task: Task) -> Entry:
    """Replay one run.

    Raises TraceError where its session or strategies can't be had, RunFailedError for all else that
    goes wrong in it, so that it is told as a sentence and not as the end of its process.
    """
    try:
        return _execute(task)
    except (TraceError, MemoryError):
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        raise RunFailedError(
            f"run {task.run.run_id} ({task.run.capture}): {type(error).__name__}: {error} "
            f"({Path(at.filename).name}, line {at.lineno})"
        ) from None


def _execute(task: Task) -> Entry:
    if task.semantics != SEMANTICS_VERSION:
        raise UsageError("a worker has another version of spetrace than the one that began")
    by_name, versions = _strategies(task.source)
    session = _open_session(Path(local_session(task.location, task.run.session)))
    parameters = session.parameters.overridden(task.run.given)
    start = time.perf_counter()
    timeline = session.timeline(task.run.placement_seed if task.run.redrawn else None)
    results = replay_timeline(timeline, parameters, [by_name[n] for n in task.strategies]).results
    seconds = time.perf_counter() - start
    rows: dict[str, list[list[Any]]] = {name: [] for name in task.strategies}
    for row in zip(*(column.to_pylist() for column in results.columns), strict=True):
        rows[row[0]].append([row[1], *map(int, row[2:])])
    return {
        "run": task.run.run_id,
        "seconds": round(seconds, 6),
        "parameters": parameters.to_json(),
        "strategies": {n: {"version": versions[n], "rows": r} for n, r in rows.items()},
    }
