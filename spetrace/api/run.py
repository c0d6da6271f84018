"""A replay's results as frames, figures and reports."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

import polars as pl

from spetrace.api.command import replay_call
from spetrace.api.difference import Difference
from spetrace.api.figures import figure
from spetrace.api.frames import frame_of
from spetrace.api.keywords import File, ReplayKeywords
from spetrace.api.notebook import comparison_html
from spetrace.api.session import Session, open_session
from spetrace.api.strategies import Chosen, chosen_strategies
from spetrace.errors import NothingToReplayError
from spetrace.report import charts
from spetrace.report import comparison as words
from spetrace.report.comparison import Comparison
from spetrace.report.html import render_html
from spetrace.report.json_report import render_json
from spetrace.report.mail import render_mail
from spetrace.report.parquet import load_run, save_run
from spetrace.report.run_difference import differ
from spetrace.tables.run import Run as Replayed
from spetrace.workflow import cost_basis
from spetrace.workflow.output_folder import check_owner, output_folder
from spetrace.workflow.pipeline import RESULT_FILES, RESULTS_FILE, run_session

if TYPE_CHECKING:
    from spetrace.api.figures import Figure


def replay(
    session: Session | File,
    strategies: Chosen = "all",
    *,
    costs_from: File | None = None,
    outcomes: bool = False,
    fidelity: bool = True,
    **parameters: Unpack[ReplayKeywords],
) -> Run:
    """Replay a session (or a file, or a session folder) under strategies; the bounds always among them.

    `strategies` are names ("all", "pin-vm,map-on-fault", or a list, in which classes may be, too).
    `costs_from` is "measured" or a TOML file of costs, `outcomes` asks what became of each record,
    `fidelity` whether the surviving records stand for all (SPE records are read once more for it).
    `parameters` are page_size, memory_bytes, memlock_bytes, max_buffer_bytes, initial_stage2,
    dl_model, data_loss, pin_refuses, keep_ns, host_buffer_bytes, costs (ns by name) and vms, as in an
    event log's first line. Raises NothingToReplayError where there is no event, UsageError for a
    wrong strategy or parameter.

    >>> import spetrace
    >>> trace = "sample_traces/scenario-swap-under-the-buffer/events.jsonl"
    >>> run = spetrace.replay(trace, "pin-on-enable,map-on-fault", costs={"irq_ns": 500})
    >>> run.totals.select("strategy", "captured", "pinned_bytes_peak").rows()[2:]
    [('map-on-fault', 74, 0), ('pin-on-enable', 80, 16384)]
    >>> run.plot_pareto().layout.title.text
    'Captured records and peak pinned memory'
    """
    opened = session if isinstance(session, Session) else open_session(session)
    origin = opened.origin
    source = None if costs_from is None else os.fspath(costs_from)
    options = replace(origin.options, costs=source, parameters=dict(parameters) or None)
    assembled = origin.replayable(parameters)
    if not len(assembled.events):
        raise NothingToReplayError("the inputs hold no event to replay")
    costs = cost_basis.find_costs(source, origin.kvm_tables)
    run = run_session(
        replace(assembled, costs=costs),
        options,
        chosen_strategies(strategies),
        outcomes=outcomes,
        fidelity=fidelity,
        command=replay_call(
            origin.paths,
            origin.raw_spe,
            origin.options,
            _said(strategies, costs_from, outcomes, fidelity) | parameters,
        ),
    )
    run.hold_outcomes()
    return Run(run)


def _said(
    strategies: Chosen, costs_from: File | None, outcomes: bool, fidelity: bool
) -> dict[str, Any]:
    """The keywords that are not as they are by default, and the strategies."""
    others = {
        "costs_from": costs_from,
        "outcomes": outcomes or None,
        "fidelity": None if fidelity else False,
    }
    return {"strategies": strategies} | {k: v for k, v in others.items() if v is not None}


def load_results(folder: File) -> Run:
    """The run that a results folder holds (`spetrace replay -o`, or `Run.save`).

    Raises InputError where a file is missing, damaged, or of a newer major version.

    >>> import spetrace, tempfile
    >>> run = spetrace.replay("sample_traces/scenario-swap-under-the-buffer/events.jsonl", "pin-vm")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = run.save(folder)
    ...     spetrace.load_results(folder).results.equals(run.results)
    True
    """
    return Run(load_run(Path(folder)))


@overload
def compare(run: Run) -> Comparison: ...


@overload
def compare(run: Run, other: Run) -> Difference: ...


def compare(run: Run, other: Run | None = None) -> Comparison | Difference:
    """What a run comes to in words and tables, or how `other` differs from it.

    >>> import spetrace
    >>> trace = "sample_traces/scenario-swap-under-the-buffer/events.jsonl"
    >>> run = spetrace.replay(trace, "pin-vm")
    >>> spetrace.compare(run).title
    '3 strategies, 80 sample records, 1 VM, 16.1 us'
    >>> cheaper = spetrace.replay(trace, "pin-vm", costs={"pin_page_ns": 100})
    >>> spetrace.compare(run, cheaper).failures("pin-vm:setup_ns<-50%")
    ['pin-vm:setup_ns<-50%: pin-vm: setup_ns 184 ms to 26.2 ms (-157 ms, -85.7 %)']
    """
    return run.comparison if other is None else Difference(differ(run.arrow, other.arrow))


class Run:
    """One replay's results: tables as polars DataFrames, charts as plotly figures, and the reports.

    `arrow` holds the same as Arrow tables. In a notebook it shows as the comparison.
    """

    def __init__(self, arrow: Replayed) -> None:
        self.arrow = arrow

    @property
    def results(self) -> pl.DataFrame:
        """Table results: per strategy a row for each VM, then the total (vm is null)."""
        return frame_of(self.arrow.results)

    @property
    def totals(self) -> pl.DataFrame:
        """One row per strategy, over all VMs."""
        return self.results.filter(pl.col("vm").is_null())

    @property
    def blackouts(self) -> pl.DataFrame:
        """Table blackouts: the spans in which the guest ran on unprofiled."""
        return frame_of(self.arrow.blackouts)

    @property
    def aborts(self) -> pl.DataFrame:
        """Table aborts: the external aborts that were injected."""
        return frame_of(self.arrow.aborts)

    @property
    def pinned(self) -> pl.DataFrame:
        """Table pinned: pinned memory over time."""
        return frame_of(self.arrow.pinned)

    @property
    def outcomes(self) -> pl.DataFrame | None:
        """What became of each record; None where it was not asked for."""
        return None if self.arrow.outcomes is None else frame_of(self.arrow.outcomes)

    @property
    def fidelity(self) -> pl.DataFrame:
        """Table fidelity: how well the surviving records stand for all of them."""
        return frame_of(self.arrow.fidelity)

    @property
    def quality(self) -> pl.DataFrame:
        """What the inputs lost or left odd."""
        return frame_of(self.arrow.quality)

    @property
    def facts(self) -> dict[str, Any]:
        """session.json: inputs, parameters, assumptions, costs, strategies, versions."""
        return self.arrow.session

    @cached_property
    def comparison(self) -> Comparison:
        """The content of its reports: every number and sentence."""
        return words.compare(self.arrow)

    def plot_pareto(self) -> Figure:
        """Captured records against peak pinned memory, with the Pareto front."""
        return figure(charts.pareto(self.arrow), "records to capture")

    def plot_pinned(self) -> Figure:
        """Pinned memory over time, by strategy."""
        return figure(charts.pinned_over_time(self.arrow), "pinned memory")

    def plot_blackouts(self) -> Figure:
        """Blackout windows on a time line per vCPU."""
        return figure(charts.blackout_timeline(self.arrow), "blackouts")

    def plot_blackout_lengths(self) -> Figure:
        """How long the blackout windows are."""
        return figure(charts.blackout_lengths(self.arrow), "blackouts")

    def plot_outcomes(self) -> Figure:
        """Where the records went, by strategy."""
        return figure(charts.outcome_bars(self.arrow), "records")

    def plot_fidelity(self) -> Figure:
        """How far the surviving records stray from all of them, by strategy."""
        return figure(charts.fidelity_chart(self.arrow), "records to compare")

    def report_html(self) -> str:
        """report.html: one page that needs nothing but itself."""
        return render_html(self.comparison, charts.charts_of(self.arrow))

    def report_json(self) -> str:
        """report.json: every counter, exactly."""
        return render_json(self.arrow)

    def report_text(self) -> str:
        """report.txt: the comparison as text to mail."""
        return render_mail(self.comparison)

    def save(self, folder: File) -> list[Path]:
        """Write the results folder that `spetrace replay -o` writes, whole or not at all; its files.

        Raises OutputError where the system refuses, UsageError for a folder that holds a session or
        a sweep.
        """
        path = Path(folder)
        check_owner(path, RESULTS_FILE)
        with output_folder(path, RESULT_FILES) as made:
            names = [file.name for file in save_run(self.arrow, made)]
        return [path / name for name in names]

    def __repr__(self) -> str:
        return "\n".join([f"Run: {self.comparison.title}", *self.comparison.answer])

    def _repr_html_(self) -> str:
        return comparison_html(self.comparison)
