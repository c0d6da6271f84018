"""`spetrace sweep`: many replays, one per point of a grid, capture and placement."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spetrace.cli.assumptions import SESSION, Assumptions, assuming
from spetrace.cli.console import show
from spetrace.cli.replay import StrategyFile, StrategyNames

if TYPE_CHECKING:
    from spetrace.workflow.sweeping import Compute, SweepPlan, SweepRequest

_LISTED = 200


def _complete(incomplete: str) -> list[str]:
    from spetrace.cli.sweep_options import complete_setting

    return complete_setting(incomplete)


Captures = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CAPTURE...",
        help="Captures of one file or folder each: a folder that spetrace ingest wrote, an event "
        "log, or a recording. A path, or a URL (s3://...).",
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--capture",
        metavar="NAME=FILE,...",
        help="A capture of several files (and its session.toml, if one of them is a .toml); may be "
        "repeated.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE,...",
        autocompletion=_complete,
        help="A parameter of the replay and the values that it takes; may be repeated: each "
        "combination is a run. Sizes take K, M and G; none is no limit; costs are costs.NAME; the "
        "causes of pin_refuses are joined by +.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write runs.parquet, sweep.json, report.html, report.json and report.txt here. What is "
        "done already (in DIR/cache) is not done again.",
    ),
]
Placements = Annotated[
    int,
    typer.Option(
        "--placements",
        metavar="N",
        min=0,
        max=100_000,
        help="Repeat each run with the buffer scattered over the guest's RAM by N seeds (from "
        "--placement-seed on), and report p5, p50 and p95.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("-j", "--jobs", metavar="N", min=1, help="Processes (default: one per core)."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="tcp://HOST:PORT",
        help="Compute on this dask.distributed cluster (pip install 'spetrace\\[cluster]').",
    ),
]
Cache = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="With --scheduler: where sessions are put for workers that don't see DIR (s3://...).",
    ),
]
MaxRuns = Annotated[
    int, typer.Option("--max-runs", metavar="N", min=1, help="Refuse a grid of more runs.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="List the runs and which are done; compute nothing.")
]


@assuming(*SESSION, "costs")
def sweep(
    output: Output,
    captures: Captures = None,
    capture: Groups = None,
    set_: Settings = None,
    strategy: StrategyNames = "all",
    strategy_file: StrategyFile = None,
    placements: Placements = 0,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    cache: Cache = None,
    max_runs: MaxRuns = 20_000,
    dry_run: DryRun = False,
    *,
    assumed: Assumptions,
) -> None:
    """Replay captures under each combination of parameters, and show which of them matter.

    Each CAPTURE is replayed by itself. A sweep that was ended goes on where
    it stopped when the same command is given again; a larger grid computes
    what it adds. The options for what files can't say hold for all captures
    that are recordings.

    [bold]Examples[/bold]

    spetrace sweep host.dat --assume-spe --set costs.irq_ns=500,1000,10000 --set page_size=4K,64K -o sweep

    spetrace sweep --capture build=guest.perf.data,host.dat --placements 200 -o sweep

    spetrace sweep session1 session2 --set memlock_bytes=8M,64M,none --strategy pin-vm,pin-on-enable -o sweep

    spetrace sweep s3://bucket/events.parquet --set keep_ns=1000000,none --scheduler tcp://10.0.0.1:8786 --cache s3://bucket/cache -o sweep
    """
    from spetrace.workflow.sweeping import plan_sweep

    request = _request(locals())
    if dry_run:
        show("\n".join(_listing(plan_sweep(request, output))))
    else:
        _run(request, output, jobs, scheduler, cache)


def _request(given: Mapping[str, Any]) -> SweepRequest:
    from spetrace.cli.sweep_options import parse_captures, parse_settings
    from spetrace.workflow.sweeping import SweepRequest

    return SweepRequest(
        parse_captures(given["captures"] or [], given["capture"] or []),
        parse_settings(given["set_"] or []),
        given["assumed"].options,
        given["strategy"],
        given["strategy_file"] or (),
        given["placements"],
        given["max_runs"],
        shlex.join(["spetrace", *sys.argv[1:]]),
    )


def _run(
    request: SweepRequest, output: Path, jobs: int | None, scheduler: str | None, cache: str | None
) -> None:
    from spetrace.cli.sweep_progress import sweep_progress
    from spetrace.workflow.sweeping import run_sweep

    with _computing(scheduler) as compute, sweep_progress() as (step, count):
        run_sweep(
            request,
            output,
            jobs=jobs or _cores(),
            compute=compute,
            cache_url=cache,
            step=step,
            progress=count,
        )
    show((output / "report.txt").read_text(encoding="utf-8"))


def _computing(scheduler: str | None) -> AbstractContextManager[Compute | None]:
    """What computes on the cluster at `scheduler`; None without one: this machine does."""
    if scheduler is None:
        return nullcontext()
    from spetrace.sweep.dask_cluster import cluster

    return cluster(scheduler)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _listing(plan: SweepPlan) -> Iterator[str]:
    missing = len(plan.missing)
    yield (
        f"{len(plan.runs):,} runs of {len(plan.versions)} strategies each: "
        f"{len(plan.runs) - missing:,} done, {missing:,} to compute"
    )
    for run in plan.runs[:_LISTED]:
        state = "lacks" if run.run_id in plan.missing else "done "
        seed = "" if run.placement_seed is None else f" placement_seed={run.placement_seed}"
        yield f"{run.run_id}  {state}  {run.capture}{seed}{_point(run.point)}"
    if len(plan.runs) > _LISTED:
        yield f"... and {len(plan.runs) - _LISTED:,} more"


def _point(point: Mapping[str, Any]) -> str:
    return "".join(f" {n}={'none' if v is None else v}" for n, v in point.items())
