"""The whole way from files to a run: read, assemble, replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from spetrace.background import in_background
from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.ingest.importer import input_name, read_raw_spe, read_recording, sha256
from spetrace.replay.engine import replay_timeline
from spetrace.replay.parameters import Parameters
from spetrace.replay.record_outcomes import RecordOutcomes
from spetrace.replay.strategy import Strategy
from spetrace.replay.strategy_guide import choose
from spetrace.replay.timeline import build_timeline
from spetrace.report.parquet import save_run
from spetrace.session.assemble import assemble, assemble_kvm_tables, assemble_streamed
from spetrace.session.costs import MEASURED
from spetrace.session.options import SessionOptions
from spetrace.tables.costs import CostBasis
from spetrace.tables.events import EVENTS
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.recording import Recording
from spetrace.tables.run import Run
from spetrace.tables.session import Assumption, Session
from spetrace.workflow import cost_basis
from spetrace.workflow.fidelity_records import (
    SessionFidelity,
    recordings_of,
    session_fidelity,
    why_without,
)
from spetrace.workflow.output_folder import check_owner, output_folder
from spetrace.workflow.session_folder import (
    DESCRIPTION,
    OWNED,
    check_page_size,
    event_log_of,
    is_session_folder,
    quality_table,
    read_kvm_tables,
    read_session,
    versions,
    write_description,
    write_quality,
    write_tables,
)
from spetrace.workflow.session_records import has_own_clock, writing_records
from spetrace.workflow.stored_events import iter_events, read_events

RESULTS_FILE = "results.parquet"
RESULT_FILES = ("outcomes.parquet", "fidelity.parquet")
"""What an earlier replay may have left in its folder and a later one need not write."""
Progress = Callable[[float], None]
Step = Callable[[str], Progress]


def silent(_name: str) -> Progress:
    """Steps and progress that nobody is shown."""
    return lambda _done: None


def read_all(
    paths: Sequence[Path], step: Step = silent, *, raw_spe: Sequence[Path] = ()
) -> list[Recording]:
    """Read files in their order, then those of bare SPE bytes.

    Raises InputError for the first that can't be read.
    """
    recordings = []
    for read, files in ((read_recording, paths), (read_raw_spe, raw_spe)):
        for path in files:
            step(f"reading {input_name(path)}")
            recordings.append(read(path))
    return recordings


def open_session(
    paths: Sequence[Path],
    options: SessionOptions | None = None,
    step: Step = silent,
    *,
    hold_events: bool = True,
) -> Session:
    """One session from recordings and event logs, or from a folder that `spetrace ingest` wrote.

    Without `hold_events` its event log is left to be read or made while a replay takes it, once.
    Raises InputError, UsageError, and NothingToReplayError where there is no event to replay (but for
    a log that is not held).
    """
    options = options or SessionOptions()
    if any(is_session_folder(path) for path in paths):
        session = _reopen(paths, options, hold_events=hold_events)
    else:
        recordings = read_all(paths, step)
        step("assembling the session")
        session = session_of(recordings, paths, options, hold_events=hold_events)
    if hold_events and not len(session.events):
        raise NothingToReplayError("the inputs hold no event to replay")
    session.costs = cost_basis.find_costs(options.costs, lambda: session.tables)
    return session


def session_of(
    recordings: Sequence[Recording],
    paths: Sequence[Path],
    options: SessionOptions,
    *,
    hold_events: bool = True,
) -> Session:
    """One session of `recordings` that were read from `paths`; as `assemble`, and raises as that."""
    session = assemble(recordings, options, hold_events=hold_events)
    session = _identified(session, _hashes(recordings, paths))
    session.recordings = recordings_of(recordings)
    return session


def _reopen(paths: Sequence[Path], options: SessionOptions, *, hold_events: bool) -> Session:
    if len(paths) > 1:
        raise UsageError(f"{paths[0]}: a session folder is replayed alone, without other inputs")
    given = [
        f.name.replace("_", "-")
        for f in fields(options)
        if f.name not in ("parameters", "costs") and getattr(options, f.name) is not None
    ]
    if given:
        raise UsageError(f"{paths[0]}: a session folder is assembled already: --{given[0]} is late")
    log = event_log_of(paths[0])
    session = read_session(paths[0], read_events(log) if hold_events else EVENTS.empty())
    if not hold_events:
        session.event_batches = iter_events(log)
    session.folder = paths[0]
    check_page_size(session, options.parameters or {})
    if options.costs == MEASURED:
        session.tables = read_kvm_tables(paths[0])
    return session


def run_session(
    session: Session,
    options: SessionOptions | None = None,
    strategies: Sequence[type[Strategy]] | None = None,
    *,
    outcomes: bool = False,
    fidelity: bool = False,
    command: str = "",
    step: Step = silent,
) -> Run:
    """Replay `session` under `strategies` (all by default); the run says what it rests on.

    `outcomes` asks for table outcomes, which the run gives in batches; `fidelity` for table fidelity,
    for which the session's SPE records are read once more; where it has none the run says so.

    The session's parameters hold over the defaults, its costs over both, and what is in `options`
    over all and for all VMs.
    """
    options = options or SessionOptions()
    given = options.parameters or {}
    found = {"costs": cost_basis.known(session.costs)}
    parameters = _recorded(session).updated(found).overridden(given)
    logged = session.parameters.get("costs", {})
    costs = cost_basis.complete(session.costs, parameters, given.get("costs", {}), logged)
    left_out = why_without(session) if fidelity else ""
    compares = fidelity and not left_out
    kept: list[RecordOutcomes] = []
    size = parameters.page_size
    timeline = build_timeline(session.iter_events(), size, outcomes=outcomes or compares)
    run = replay_timeline(
        timeline,
        parameters,
        strategies,
        observe=kept.append if timeline.has_rows else None,
        progress=step("replaying"),
    )
    compared = _compare_profiles(session, kept if compares else (), left_out, step)
    assumed = [*cost_basis.assumptions(costs, options.costs), *compared.assumptions]
    facts = _facts(session, command, assumed, costs)
    if compared.left_out:
        facts["fidelity_left_out"] = compared.left_out
    return replace(
        run,
        session=run.session | facts,
        outcome_batches=kept[0].batches if outcomes else None,
        fidelity=compared.table,
        quality=quality_table(session.quality),
    )


def _facts(
    session: Session, command: str, assumed: Sequence[Assumption], costs: Sequence[CostBasis]
) -> dict[str, Any]:
    """What session.json of a run says of what it rests on."""
    return {
        "version": 1,
        "command": command,
        "inputs": session.inputs,
        "clocks": session.clocks,
        "machines": session.machines,
        "assumptions": [asdict(a) for a in (*session.assumptions, *assumed)],
        "costs": [asdict(cost) for cost in costs],
        "versions": versions(),
    }


def _compare_profiles(
    session: Session, kept: Sequence[RecordOutcomes], left_out: str, step: Step
) -> SessionFidelity:
    if not kept:
        return SessionFidelity(FIDELITY.empty(), left_out=left_out)
    step("comparing profiles")
    return session_fidelity(session, kept[0])


def _recorded(session: Session) -> Parameters:
    """The defaults with the session's own parameters over them; InputError where these are wrong."""
    try:
        return Parameters().updated(session.parameters)
    except UsageError as error:
        logs = [i["name"] for i in session.inputs if i["format"].startswith("event log")]
        raise InputError("session line", str(error), file=logs[0] if logs else None) from error


def replay_files(
    paths: Sequence[Path],
    options: SessionOptions | None = None,
    *,
    strategies: str = "all",
    strategy_files: Sequence[Path] = (),
    output: Path | None = None,
    outcomes: bool = False,
    fidelity: bool = True,
    command: str = "",
    step: Step = silent,
) -> Run:
    """Read, assemble, replay, and save into `output` where one is given.

    `outcomes` asks for table outcomes, `fidelity` for table fidelity where there are SPE records.

    Raises TraceError and its children; nothing is left in `output` then.
    """
    if outcomes and output is None:
        raise UsageError("--outcomes needs a folder to write to: -o DIR")
    if output is not None and output in paths:
        raise UsageError(f"{output}: results would replace the session they are made from")
    if output is not None:
        check_owner(output, RESULTS_FILE)
    chosen = choose(strategies, strategy_files)
    with output_folder(output, RESULT_FILES) if output else nullcontext() as folder:
        session = open_session(paths, options, step, hold_events=False)
        run = run_session(
            session,
            options,
            chosen,
            outcomes=outcomes,
            fidelity=fidelity,
            command=command,
            step=step,
        )
        if folder:
            step("writing results")
            save_run(run, folder)
    return run


def measure_files(
    paths: Sequence[Path], options: SessionOptions | None = None, step: Step = silent
) -> list[CostBasis]:
    """Every cost, those measured that recordings of a host tell.

    Raises NothingToReplayError where they tell none.
    """
    recordings = read_all(paths, step)
    step("measuring")
    session = assemble_kvm_tables(recordings, options or SessionOptions())
    found = cost_basis.find_costs(MEASURED, lambda: session.tables)
    if not cost_basis.known(found):
        raise NothingToReplayError(
            "no cost to measure: the inputs hold no kvm_exit with the kvm_entry after it"
        )
    parameters = Parameters().updated({"costs": cost_basis.known(found)})
    return cost_basis.complete(found, parameters, {}, {})


def ingest_files(
    paths: Sequence[Path],
    output: Path,
    options: SessionOptions | None = None,
    step: Step = silent,
    *,
    raw_spe: Sequence[Path] = (),
    explained: bool = False,
) -> dict[str, int]:
    """Read and assemble, and write the session folder `output`; rows by file in it.

    `raw_spe` are files of bare SPE bytes; `explained` asks for SPE codes in words, too.
    What gives no event log (a KVM recording alone) is written without one. Raises TraceError and
    its children; nothing is left in `output` then.
    """
    check_owner(output, DESCRIPTION)
    options, files = options or SessionOptions(), [*paths, *raw_spe]
    with (
        output_folder(output, OWNED) as folder,
        in_background(partial(_file_hashes, files)) as hashing,
    ):
        recordings = read_all(paths, step, raw_spe=raw_spe)
        progress = step("writing tables")
        with writing_records(recordings, folder, progress, explained=explained) as records:
            if has_own_clock(recordings, options):
                records.settle(())
            session = assemble_streamed(recordings, options)
            records.settle(session.clocks)
            rows = write_tables(session, folder)
            rows = records.rows() | rows | write_quality(session, folder)
        known = zip(recordings, hashing.result(), strict=True)
        write_description(_identified(session, [r.sha256 or own for r, own in known]), folder)
        return rows


def _file_hashes(paths: Sequence[Path], stop: Event) -> list[str]:
    """Per input the hash of its bytes, empty for what is no file; CancelledError once `stop` is set."""
    return [sha256(path, stop) if path.is_file() else "" for path in paths]


def _hashes(recordings: Sequence[Recording], paths: Sequence[Path]) -> list[str]:
    """Per input the hash of its bytes."""
    return [
        recording.sha256 or sha256(path) for recording, path in zip(recordings, paths, strict=True)
    ]


def _identified(session: Session, hashes: Sequence[str]) -> Session:
    """The session, its inputs with their hashes."""
    for facts, digest in zip(session.inputs, hashes, strict=True):
        facts["sha256"] = digest
    return session
