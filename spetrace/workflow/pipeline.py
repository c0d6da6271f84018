"""The whole way from files to a run: read, assemble, replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from threading import Event

from spetrace.background import in_background
from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.ingest.importer import input_name, read_raw_spe, read_recording, sha256
from spetrace.replay.engine import replay
from spetrace.replay.outcomes import RecordOutcomes
from spetrace.replay.parameters import Parameters
from spetrace.replay.strategy import Strategy
from spetrace.replay.strategy_guide import choose
from spetrace.report.parquet import save_run
from spetrace.session.assemble import assemble, assemble_kvm_tables, assemble_streamed
from spetrace.session.costs import MEASURED
from spetrace.session.options import SessionOptions
from spetrace.tables.costs import CostBasis
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.recording import Recording
from spetrace.tables.run import Run
from spetrace.tables.session import Session
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
    EVENT_LOG,
    OWNED,
    check_page_size,
    is_session_folder,
    quality_table,
    read_kvm_tables,
    read_session,
    versions,
    write_description,
    write_tables,
)

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
    paths: Sequence[Path], options: SessionOptions | None = None, step: Step = silent
) -> Session:
    """One session from recordings and event logs, or from a folder that `spetrace ingest` wrote.

    Raises InputError, UsageError, and NothingToReplayError where there is no event to replay.
    """
    options = options or SessionOptions()
    if any(is_session_folder(path) for path in paths):
        session = _reopen(paths, options)
    else:
        recordings = read_all(paths, step)
        step("assembling the session")
        session = session_of(recordings, paths, options)
    if not len(session.events):
        raise NothingToReplayError("the inputs hold no event to replay")
    session.costs = cost_basis.find_costs(options.costs, lambda: session.tables)
    return session


def session_of(
    recordings: Sequence[Recording], paths: Sequence[Path], options: SessionOptions
) -> Session:
    """One session of `recordings` that were read from `paths`; raises as `assemble` does."""
    session = _identified(assemble(recordings, options), _hashes(recordings, paths))
    session.recordings = recordings_of(recordings)
    return session


def _reopen(paths: Sequence[Path], options: SessionOptions) -> Session:
    if len(paths) > 1:
        raise UsageError(f"{paths[0]}: a session folder is replayed alone, without other inputs")
    given = [
        f.name.replace("_", "-")
        for f in fields(options)
        if f.name not in ("parameters", "costs") and getattr(options, f.name) is not None
    ]
    if given:
        raise UsageError(f"{paths[0]}: a session folder is assembled already: --{given[0]} is late")
    events = read_recording(paths[0] / EVENT_LOG).events
    if events is None:
        raise NothingToReplayError(f"{paths[0] / EVENT_LOG}: is no event log")
    session = read_session(paths[0], events)
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
    progress: Progress | None = None,
    step: Step = silent,
) -> Run:
    """Replay `session` under `strategies` (all by default); the run says what it rests on.

    `fidelity` asks for table fidelity, for which the session's SPE records are read once more; where
    it has none the run says so.

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
    kept: list[RecordOutcomes] = []
    run = replay(
        session.events,
        parameters,
        strategies,
        outcomes=outcomes,
        observe=kept.append if fidelity and not left_out else None,
        progress=progress,
    )
    compared = _compare_profiles(session, kept, left_out, step)
    assumed = [
        *session.assumptions,
        *cost_basis.assumptions(costs, options.costs),
        *compared.assumptions,
    ]
    facts = {
        "version": 1,
        "command": command,
        "inputs": session.inputs,
        "clocks": session.clocks,
        "machines": session.machines,
        "assumptions": [asdict(a) for a in assumed],
        "costs": [asdict(cost) for cost in costs],
        "versions": versions(),
    }
    if compared.left_out:
        facts["fidelity_left_out"] = compared.left_out
    return replace(
        run,
        session=run.session | facts,
        fidelity=compared.table,
        quality=quality_table(session.quality),
    )


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
        session = open_session(paths, options, step)
        progress = step("replaying")
        run = run_session(
            session,
            options,
            chosen,
            outcomes=outcomes,
            fidelity=fidelity,
            command=command,
            progress=progress,
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
    with output_folder(output, OWNED) as folder:
        recordings = read_all(paths, step, raw_spe=raw_spe)
        files = [*paths, *raw_spe]
        with in_background(partial(_hashes, recordings, files)) as hashing:
            step("assembling the session")
            session = assemble_streamed(recordings, options or SessionOptions())
            progress = step("writing tables")
            rows = write_tables(session, recordings, folder, progress, explained=explained)
            _identified(session, hashing.result())
        write_description(session, folder)
        return rows


def _hashes(
    recordings: Sequence[Recording], paths: Sequence[Path], stop: Event | None = None
) -> list[str]:
    """Per input the hash of its bytes; CancelledError once `stop` is set."""
    return [
        recording.sha256 or sha256(path, stop)
        for recording, path in zip(recordings, paths, strict=True)
    ]


def _identified(session: Session, hashes: Sequence[str]) -> Session:
    """The session, its inputs with their hashes."""
    for facts, digest in zip(session.inputs, hashes, strict=True):
        facts["sha256"] = digest
    return session
