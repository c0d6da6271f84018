"""Sweeps in Python: many replays of captures, as one frame."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl
import pyarrow as pa

from spetrace.api.keywords import File, SessionKeywords, session_options
from spetrace.report.parquet import load_table
from spetrace.report.plotly_page import Chart, figure_of
from spetrace.report.sweep_charts import heat_maps, placement_charts, tornados
from spetrace.report.sweep_html import render_sweep_html
from spetrace.report.sweep_text import render_sweep_text
from spetrace.report.sweep_view import SweepView, view_sweep
from spetrace.tables.sweep import RUNS
from spetrace.workflow.sweep_sessions import CaptureInput
from spetrace.workflow.sweeping import (
    DESCRIPTION_FILE,
    MAX_RUNS,
    RUNS_FILE,
    Compute,
    SweepRequest,
    run_sweep,
)

if TYPE_CHECKING:
    from spetrace.api.figures import Figure


class Sweep:
    """The results folder of a sweep: a row per run, strategy and VM, and what they rest on."""

    def __init__(self, folder: File) -> None:
        self.folder = Path(folder)
        """Where it is."""

    @cached_property
    def arrow(self) -> pa.Table:
        """Table runs. Raises InputError where it can't be read."""
        return load_table(RUNS, self.folder / RUNS_FILE)

    @property
    def runs(self) -> pl.DataFrame:
        """The same as a polars frame: parameters and counters as columns, vm null for the total."""
        return pl.DataFrame(self.arrow)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """sweep.json: what was asked, of which captures, and the versions."""
        facts: dict[str, Any] = json.loads((self.folder / DESCRIPTION_FILE).read_bytes())
        return facts

    def plot_effects(self) -> list[Figure]:
        """Per measure which parameter matters to a strategy, the widest effect on top."""
        return _figures(tornados(self._view))

    def plot_heat_maps(self) -> list[Figure]:
        """Per measure maps over the pairs of parameters that matter."""
        return _figures(heat_maps(self._view))

    def plot_placements(self) -> list[Figure]:
        """Per measure p5, p50 and p95 over the placements of the buffer."""
        return _figures(placement_charts(self._view))

    def report_html(self) -> str:
        """report.html."""
        return render_sweep_html(self._view)

    def report_text(self) -> str:
        """report.txt."""
        return render_sweep_text(self._view)

    def __repr__(self) -> str:
        return self.report_text()

    @cached_property
    def _view(self) -> SweepView:
        return view_sweep(self.arrow.filter(self.arrow["vm"].is_null()), self.facts)


def _figures(charts: Iterator[Chart]) -> list[Figure]:
    return [figure_of(chart) for chart in charts]


def sweep(
    *captures: File,
    output: File,
    settings: Mapping[str, Sequence[Any]] | None = None,
    groups: Mapping[str, Sequence[File]] | None = None,
    strategies: str | Sequence[str] = "all",
    placements: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    cache: str | None = None,
    max_runs: int = MAX_RUNS,
    **options: Unpack[SessionKeywords],
) -> Sweep:
    """Replay captures under each combination of `settings`, into the folder `output`.

    A capture is a recording, an event log or a session folder (path or URL); one of several files
    has its name in `groups`. `settings` has values by parameter, costs as "costs.NAME"; `placements`
    repeats each point with so many places of the buffer in guest RAM; `jobs` processes compute (all
    cores by default), or the workers of a dask `scheduler`, whose sessions go through `cache`.
    `options` are those of `spetrace.open_session`. What is done already is not computed again. Raises
    TraceError and its children. Processes are spawned: a script calls this below
    `if __name__ == "__main__":`.

    >>> import spetrace, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     swept = spetrace.sweep(
    ...         "sample_traces/scenario-swap-under-the-buffer/events.jsonl", output=folder,
    ...         settings={"costs.irq_ns": [500, 1000]}, strategies="map-on-fault", jobs=1,
    ...     )
    ...     swept.runs.filter(strategy="map-on-fault", vm=0)["irq_ns"].to_list()
    [500, 1000]
    """
    inputs = [CaptureInput(Path(one).stem or os.fspath(one), (os.fspath(one),)) for one in captures]
    for name, files in (groups or {}).items():
        inputs.append(CaptureInput(name, tuple(os.fspath(file) for file in files)))
    request = SweepRequest(
        inputs,
        settings or {},
        session_options(options),
        strategies if isinstance(strategies, str) else ",".join(strategies),
        placements=placements,
        max_runs=max_runs,
        command="spetrace.sweep(...)",
    )
    with _computing(scheduler) as compute:
        run_sweep(
            request,
            Path(output),
            jobs=jobs or len(os.sched_getaffinity(0)),
            compute=compute,
            cache_url=cache,
        )
    return Sweep(output)


def _computing(scheduler: str | None) -> AbstractContextManager[Compute | None]:
    if scheduler is None:
        return nullcontext()
    from spetrace.sweep.dask_cluster import cluster

    return cluster(scheduler)
