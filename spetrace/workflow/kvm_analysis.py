"""From recordings or a session folder to the summary of what KVM did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from spetrace.errors import NothingToReplayError, UsageError
from spetrace.ingest.importer import sha256
from spetrace.kvm.inference import ToldStage2, check_inference
from spetrace.kvm.summarize import KVM_TABLES, summarize_kvm
from spetrace.replay.strategy_guide import choose
from spetrace.report.kvm_files import FILES, save_kvm
from spetrace.session.assemble import assemble, assemble_streamed
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.tables.events import EVENTS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.kvm_summary import KvmSummary
from spetrace.tables.recording import Recording
from spetrace.tables.results import COUNTERS
from spetrace.tables.session import Assumption, Session, batches_of
from spetrace.workflow.output_folder import output_folder
from spetrace.workflow.pipeline import read_all, run_session, silent
from spetrace.workflow.session_folder import (
    DESCRIPTION,
    describe_session,
    quality_table,
    read_session,
)
from spetrace.workflow.stored_tables import StoredTables

CHECK_LOAD: Final = AssumedSpe(period_ns=50_000)
"""The SPE load of the replays that compare ways to tell stage 2, where no SPE data was recorded."""
CHECK_STRATEGIES: Final = "map-on-fault,pin-on-enable"
_WAYS: Final[dict[str, dict[str, Any]]] = {
    "probes": {"stage2_from": "probes"},
    "tracepoints": {"stage2_from": "tracepoints"},
    "infer-read-only": {"stage2_from": "tracepoints", "infer_read_only": True},
}
Step = Callable[[str], Callable[[float], None]]


def analyse_kvm(
    paths: Sequence[Path],
    options: SessionOptions,
    output: Path | None = None,
    step: Step = silent,
    *,
    check: bool = False,
    raw_spe: Sequence[Path] = (),
) -> KvmSummary:
    """What KVM did, by VM; with `check` also how inferring stage 2 compares with the probes.

    `raw_spe` are files of bare SPE bytes that belong to the recordings. Saves into `output` where one is given; nothing is left there on an error. Raises
    NothingToReplayError where there is no kvm_exit, UsageError for a session folder that is not
    alone, and for `check` where there are no probes or no recordings.
    """
    if output is not None and output in paths:
        raise UsageError(f"{output}: the report would be written into its own input")
    with output_folder(output, FILES) if output else nullcontext() as folder:
        is_folder = any(path.is_dir() for path in paths)
        if is_folder:
            summary = _of_folder(paths, check)
        else:
            summary = _of_files(paths, raw_spe, options, step, check)
        if folder:
            step("writing the report")
            save_kvm(summary, folder)
    return summary


def _of_files(
    paths: Sequence[Path],
    raw_spe: Sequence[Path],
    options: SessionOptions,
    step: Step,
    check: bool,
) -> KvmSummary:
    recordings = read_all(paths, step, raw_spe=raw_spe)
    step("assembling the session")
    session = assemble_streamed(recordings, options)
    for facts, path in zip(session.inputs, [*paths, *raw_spe], strict=True):
        facts["sha256"] = facts["sha256"] or sha256(path)
    told = []
    if check:
        step("comparing stage 2 by probes and by tracepoints")
        told = _told(recordings, options, session)
    summary = _summarize(session)
    if told:
        summary.inference = check_inference(told, summary.span_ns[1] if summary.span_ns else 0)
    return summary


def _of_folder(paths: Sequence[Path], check: bool) -> KvmSummary:
    folder = paths[0]
    if len(paths) > 1:
        raise UsageError(f"{folder}: a session folder is shown alone, without other inputs")
    if check:
        raise UsageError("--check-inference needs the recordings, not a session folder")
    if not (folder / DESCRIPTION).is_file():
        raise UsageError(f"{folder}: is a folder that spetrace ingest has not written")
    session = read_session(folder, EVENTS.empty())
    session.tables = StoredTables(folder, KVM_TABLES)
    return _summarize(session)


def _summarize(session: Session) -> KvmSummary:
    exits = batches_of(session.tables, KVM_EXITS.name) if KVM_EXITS.name in session.tables else ()
    if not any(batch.num_rows for batch in exits):
        raise NothingToReplayError(
            "nothing to show: the inputs hold no kvm_exit; record KVM's tracepoints (spetrace recipe)"
        )
    facts = describe_session(session)
    facts = {
        name: facts[name] for name in ("inputs", "clocks", "machines", "assumptions", "versions")
    }
    return summarize_kvm(session.tables, facts, quality_table(session.quality))


def _told(
    recordings: Sequence[Recording], options: SessionOptions, session: Session
) -> list[ToldStage2]:
    """Stage 2 in all ways, each with replays of an SPE load on it; the load is noted in `session`."""
    if not any(recording.spe for recording in recordings):
        load = options.assume_spe or CHECK_LOAD
        options = replace(options, assume_spe=load)
        value = ",".join(f"{name}={number}" for name, number in asdict(load).items())
        text = "The replays of --check-inference run this SPE load on the recorded vCPUs."
        session.assumptions.append(Assumption("assume-spe", value, text))
    told: list[ToldStage2] = []
    for name, way in _WAYS.items():
        chosen = replace(options, **way)
        tables = assemble_streamed(recordings, chosen).tables
        if not told and not len(tables.get(VM_STATE.name, ())):
            raise UsageError(
                "--check-inference: the inputs hold no probes of stage 2 (see: spetrace recipe)"
            )
        counters = _counters(assemble(recordings, chosen), chosen)
        told.append(ToldStage2(name, tables[VM_STATE.name], tables[REFAULTS.name], counters))
    return told


def _counters(session: Session, options: SessionOptions) -> dict[int, dict[str, dict[str, int]]]:
    """By VM and strategy what a replay counts; `lost` is the sum of its kinds.

    Without the upper bound, which has no stage 2.
    """
    run = run_session(session, options, choose(CHECK_STRATEGIES))
    counters: dict[int, dict[str, dict[str, int]]] = {}
    for row in run.results.to_pylist():
        is_upper = run.session["strategies"][row["strategy"]]["bound"] == "upper"
        if row["vm"] is not None and not is_upper:
            own = {name: int(row[name]) for name in COUNTERS}
            own["lost"] = sum(row[name] for name in COUNTERS if name.startswith("lost_"))
            counters.setdefault(row["vm"], {})[row["strategy"]] = own
    return counters
