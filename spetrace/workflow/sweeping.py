"""A sweep from captures to a folder of results: plan, prepare, compute what is not done, report."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from spetrace.errors import TraceError, UsageError
from spetrace.replay.semantics import SEMANTICS_VERSION
from spetrace.report.atomic import write_table, write_text
from spetrace.report.sweep_files import save_sweep_report
from spetrace.session.options import SessionOptions
from spetrace.sweep.dataset import Done, done_runs, lacking, runs_table
from spetrace.sweep.execute import Entry, Task
from spetrace.sweep.folder_lock import locked
from spetrace.sweep.grid import Settings, check_settings
from spetrace.sweep.journal import JOURNAL, Journal, read_journal
from spetrace.sweep.local import run_local
from spetrace.sweep.locations import share_session
from spetrace.sweep.plan import SweepRun, check_size, plan_runs
from spetrace.sweep.prepared import DESCRIPTION
from spetrace.sweep.strategy_source import StrategySource, read_strategies
from spetrace.workflow.output_folder import check_owner
from spetrace.workflow.pipeline import silent
from spetrace.workflow.session_folder import versions
from spetrace.workflow.sweep_sessions import (
    SESSION_FACTS,
    CaptureInput,
    Step,
    SweepSource,
    check_page_sizes,
    find_sources,
    prepare_session,
)

RUNS_FILE: Final = "runs.parquet"
DESCRIPTION_FILE: Final = "sweep.json"
CACHE: Final = "cache"
MAX_RUNS: Final = 20_000
VERSION: Final = 1


class SweepInterruptedError(TraceError):
    """A sweep that was ended by Ctrl-C; what it computed is kept."""

    exit_code = 130


@dataclass(frozen=True)
class SweepRequest:
    """What a sweep is asked for."""

    captures: Sequence[CaptureInput]
    settings: Settings
    options: SessionOptions = field(default_factory=SessionOptions)
    strategies: str = "all"
    strategy_files: Sequence[Path] = ()
    placements: int = 0
    """Seeds of a scattered placement to repeat each point with; 0: the placement of `options`."""
    max_runs: int = MAX_RUNS
    command: str = ""


@dataclass(frozen=True)
class SweepPlan:
    """All runs of a sweep, and what of them is not done yet."""

    request: SweepRequest
    sources: Sequence[SweepSource]
    runs: Sequence[SweepRun]
    strategies: StrategySource
    versions: Mapping[str, str]
    """Per strategy, in the order of reports, its version."""
    missing: Mapping[str, tuple[str, ...]]
    """Per run that is not done the strategies that it lacks."""


Compute = Callable[[Sequence[Task]], Generator[Entry, None, None]]
"""Computes tasks and gives their entries as they come."""


def plan_sweep(request: SweepRequest, folder: Path, step: Step = silent) -> SweepPlan:
    """Plan a sweep whose results are, or will be, in `folder`.

    Raises UsageError for settings, strategies or a size that can't be, InputError for captures.
    """
    check_settings(request.settings)
    if request.placements and request.options.placement == "contiguous":
        raise UsageError("--placements scatters the buffers: --placement contiguous can't be meant")
    strategies = read_strategies(request.strategies, request.strategy_files)
    sources = find_sources(
        request.captures, request.options, request.placements, folder / CACHE / "inputs", step
    )
    captures = [source.capture for source in sources]
    check_size(captures, request.settings, request.max_runs)
    check_page_sizes(sources, request.settings.get("page_size", ()))
    runs = plan_runs(captures, request.settings)
    done: Done = done_runs(read_journal(folder / CACHE / JOURNAL))
    named = strategies.versions()
    missing = {run.run_id: lacking(run, done, named) for run in runs}
    missing = {run_id: names for run_id, names in missing.items() if names}
    return SweepPlan(request, sources, runs, strategies, named, missing)


def run_sweep(
    request: SweepRequest,
    folder: Path,
    *,
    jobs: int = 1,
    compute: Compute | None = None,
    cache_url: str | None = None,
    step: Step = silent,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> SweepPlan:
    """Compute what of a sweep is not done yet, and write its results into `folder`; its plan as it
    was before.

    By `jobs` processes of this machine unless `compute` is given; `cache_url` is where prepared
    sessions are put for workers on other machines. `progress` is told how many of how many runs of this
    call are done. Raises TraceError and its children; what was computed before is kept.
    """
    check_owner(folder, DESCRIPTION_FILE)
    with locked(folder / CACHE):
        try:
            plan = plan_sweep(request, folder, step)
            tasks = _tasks(plan, folder / CACHE, cache_url, step)
            _compute(tasks, compute or (lambda ts: run_local(ts, jobs)), folder, step, progress)
            step("writing results")
            _write(plan, folder)
        except KeyboardInterrupt:
            raise SweepInterruptedError(
                "interrupted; no results were written, and the same command goes on from there"
            ) from None
    return plan


def _tasks(plan: SweepPlan, cache: Path, url: str | None, step: Step) -> list[Task]:
    """The runs that are not done, their sessions prepared."""
    sources = {source.capture.name: source for source in plan.sources}
    tasks, ready = [], set()
    for run in plan.runs:
        if run.run_id not in plan.missing:
            continue
        location = (cache / run.session).absolute()
        if run.session not in ready:
            _prepare(sources[run.capture], run, location, step)
            if url:
                share_session(location, f"{url.rstrip('/')}/{run.session}")
            ready.add(run.session)
        place = f"{url.rstrip('/')}/{run.session}" if url else str(location)
        tasks.append(Task(run, place, plan.missing[run.run_id], plan.strategies))
    return tasks


def _prepare(source: SweepSource, run: SweepRun, folder: Path, step: Step) -> None:
    if not (folder / DESCRIPTION).is_file():
        shape = {n: v for n, v in run.point.items() if n in source.capture.shaped_by}
        prepare_session(source, shape, folder, step)


def _compute(
    tasks: Sequence[Task],
    compute: Compute,
    folder: Path,
    step: Step,
    progress: Callable[[int, int], None],
) -> None:
    if not tasks:
        return
    step("computing runs")
    progress(0, len(tasks))
    done = 0
    try:
        journal_path = folder / CACHE / JOURNAL
        with Journal(journal_path) as journal, closing(compute(tasks)) as entries:
            for entry in entries:
                journal.append(entry)
                done += 1
                progress(done, len(tasks))
    except KeyboardInterrupt:
        raise SweepInterruptedError(
            f"interrupted after {done:,} of {len(tasks):,} runs; the same command goes on from there"
        ) from None


def _write(plan: SweepPlan, folder: Path) -> None:
    table = runs_table(read_journal(folder / CACHE / JOURNAL), plan.runs, plan.versions)
    facts = describe_sweep(plan, folder / CACHE)
    write_table(table, folder / RUNS_FILE)
    write_text(json.dumps(facts, indent=1) + "\n", folder / DESCRIPTION_FILE)
    save_sweep_report(_totals(table), facts, folder)


def _totals(table: pa.Table) -> pa.Table:
    return table.filter(table["vm"].is_null())


def describe_sweep(plan: SweepPlan, cache: Path) -> dict[str, Any]:
    """sweep.json: what was asked, of which captures, and the versions."""
    request = plan.request
    sessions = {run.capture: run.session for run in plan.runs}
    return {
        "version": VERSION,
        "command": request.command,
        "runs": len(plan.runs),
        "settings": {name: list(values) for name, values in request.settings.items()},
        "placements": request.placements,
        "strategies": {
            s.name: {"doc": s.doc, "bound": s.bound, "version": plan.versions[s.name]}
            for s in plan.strategies.load()
        },
        "captures": [
            {
                "name": source.capture.name,
                "content": source.capture.content,
                **_session_facts(cache / sessions[source.capture.name]),
            }
            for source in plan.sources
        ],
        "semantics": SEMANTICS_VERSION,
        "versions": versions(),
    }


def _session_facts(prepared: Path) -> dict[str, Any]:
    """What a capture's session rests on, as one of its prepared sessions says it."""
    path = prepared / SESSION_FACTS
    if not path.is_file():
        return {}
    facts = json.loads(path.read_text(encoding="utf-8"))
    return {name: facts[name] for name in ("inputs", "assumptions", "quality", "machines")}
