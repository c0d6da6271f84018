"""From recordings, session folders and results folders to one Perfetto trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spetrace import __version__
from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.export.aux_tracks import aux_marks
from spetrace.export.machines import Machines
from spetrace.export.perfetto_trace import Written, check_package, write_scene
from spetrace.export.reduce import cut_to_window, limit_rows
from spetrace.export.run_tracks import run_marks
from spetrace.export.scene import Scene
from spetrace.export.session_tracks import SHOWN_EVENTS, session_marks
from spetrace.ingest.importer import sha256
from spetrace.quality import Severity
from spetrace.report.atomic import replacing
from spetrace.report.parquet import check_file, load_run
from spetrace.session.assemble import assemble_streamed
from spetrace.session.options import SessionOptions
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.events import EVENTS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import VM_STATE
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.results import RESULTS
from spetrace.tables.run import Run
from spetrace.tables.session import Session
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.workflow.output_folder import noting_nothing_written
from spetrace.workflow.pipeline import Step, read_all, silent
from spetrace.workflow.session_folder import (
    DESCRIPTION,
    EVENT_LOG,
    quality_table,
    read_kvm_tables,
    read_session,
)

LIMIT: Final = 2_000_000
"""Slices, instants and values in a trace, if nothing else is said."""
_SHOWN: Final = (
    KVM_EXITS, STAGE2_FAULTS, SPE_REGISTER_ACCESSES, VM_STATE, AUX_RECORDS, RECORDING_GAPS,
)  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A trace that was written, and what it does not hold."""

    written: Written
    left_out: tuple[str, ...]


def export_perfetto(
    paths: Sequence[Path],
    output: Path,
    options: SessionOptions | None = None,
    step: Step = silent,
    *,
    limit: int | None = LIMIT,
    from_ns: int | None = None,
    to_ns: int | None = None,
) -> Exported:
    """Write what `paths` hold as the Perfetto trace `output`, on the session's clock.

    `paths` are recordings or one session folder, and results folders of replays of the same inputs.
    `from_ns` and `to_ns` count from the first event; `limit` is the most slices, instants and counter
    values. Raises TraceError and its children; nothing is left under `output` then.
    """
    check_package()
    if output in paths:
        raise UsageError(f"{output}: the trace would replace its own input")
    if from_ns is not None and to_ns is not None and to_ns <= from_ns:
        raise UsageError(f"--to {to_ns} ns is not after --from {from_ns} ns")
    results = [path for path in paths if (path / f"{RESULTS.name}.parquet").is_file()]
    recorded = [path for path in paths if path not in results]
    step("reading")
    runs = {str(path): load_run(path) for path in results}
    session = _session(recorded, options or SessionOptions(), step, hashed=bool(runs))
    _check_same_inputs(session, runs)
    scene = limit_rows(cut_to_window(_scene(session, runs), from_ns, to_ns), limit)
    if not scene.marks:
        raise NothingToReplayError("the inputs hold nothing to show in a trace")
    progress = step("writing the trace")
    with (
        noting_nothing_written(output),
        replacing(output) as temporary,
        temporary.open("wb") as file,
    ):
        written = write_scene(scene, file, progress)
    return Exported(written, tuple(scene.left_out))


def _scene(session: Session | None, runs: Mapping[str, Run]) -> Scene:
    scene = Scene(facts=_facts(session, runs))
    described = [session.machines if session else []]
    described += [run.session.get("machines", []) for run in runs.values()]
    machines = Machines(next(filter(None, described), []))
    if session:
        scene.add(session_marks(session.tables, machines))
        scene.add(aux_marks(session.tables, _objects(session.inputs)))
    for name, run in runs.items():
        scene.add(run_marks(run, machines, name if len(runs) > 1 else ""))
    return scene


def _session(
    paths: Sequence[Path], options: SessionOptions, step: Step, *, hashed: bool
) -> Session | None:
    """The session with the tables that are shown, its events but for the many in their table."""
    if not paths:
        return None
    if any(path.is_dir() for path in paths):
        return _of_folder(paths, options)
    recordings = read_all(paths, step)
    step("assembling the session")
    session = assemble_streamed(recordings, options)
    batches = chain(session.events.to_batches(), session.event_batches)
    shown = pa.Table.from_batches(map(_shown, batches), EVENTS.schema)
    for facts, path in zip(session.inputs, paths, strict=True):
        if hashed:
            facts["sha256"] = facts["sha256"] or sha256(path)
    return replace(session, tables={**session.tables, EVENTS.name: shown})


def _of_folder(paths: Sequence[Path], options: SessionOptions) -> Session:
    folder = next(path for path in paths if path.is_dir())
    if not (folder / DESCRIPTION).is_file():
        raise UsageError(f"{folder}: is no folder of spetrace ingest or spetrace replay")
    if len(paths) > 1:
        raise UsageError(f"{folder}: a session folder is shown without other recordings")
    given = [
        f.name.replace("_", "-") for f in fields(options) if getattr(options, f.name) is not None
    ]
    if given:
        raise UsageError(f"{folder}: a session folder is assembled already: --{given[0]} is late")
    session = read_session(folder, EVENTS.empty())
    session.tables = read_kvm_tables(folder, _SHOWN)
    if (folder / EVENT_LOG).is_file():
        session.tables[EVENTS.name] = _read_shown(folder / EVENT_LOG)
    return session


def _read_shown(path: Path) -> pa.Table:
    """The shown events of an event log's file, without holding the others."""
    check_file(EVENTS, path)
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            batches = [_shown(batch) for batch in file.iter_batches(columns=EVENTS.names)]
            shown = pa.Table.from_batches(batches, file.schema_arrow)
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        raise InputError(f"table {EVENTS.name}", str(error), file=str(path)) from error
    return EVENTS.from_columns({n: shown[n] for n in shown.column_names if n in EVENTS.names})


def _shown(batch: pa.RecordBatch) -> pa.RecordBatch:
    kinds = batch.column("kind").cast(pa.string())
    return batch.filter(pc.is_in(kinds, pa.array(SHOWN_EVENTS)))


def _check_same_inputs(session: Session | None, runs: Mapping[str, Run]) -> None:
    """Raise UsageError where the parts of a trace are of different inputs or on different clocks."""
    described: dict[str, Mapping[str, Any]] = {name: run.session for name, run in runs.items()}
    if session:
        described = {
            "the session": {"inputs": session.inputs, "clocks": session.clocks},
            **described,
        }
    (first, facts), *others = described.items()
    for name, other in others:
        if _identity(other) != _identity(facts):
            raise UsageError(
                f"{name}: is of other inputs, or another clock, than {first}: one trace shows one session"
            )


def _identity(facts: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The inputs' hashes, each with what its times were moved by."""
    offsets = {str(c.get("source")): c.get("offset_ns") for c in _objects(facts.get("clocks"))}
    return [
        (str(each.get("sha256") or each.get("name")), offsets.get(str(source)) or 0)
        for source, each in enumerate(_objects(facts.get("inputs")))
    ]


def _objects(values: Any) -> list[Mapping[str, Any]]:
    """The objects in what should be a list of them: session.json may hold anything."""
    return [v for v in values if isinstance(v, Mapping)] if isinstance(values, list) else []


def _facts(session: Session | None, runs: Mapping[str, Run]) -> dict[str, str]:
    """What the trace rests on."""
    quality = [quality_table(session.quality)] if session else []
    quality += [run.quality for run in runs.values()]
    inputs = session.inputs if session else next(iter(runs.values())).session.get("inputs")
    facts = {
        "version": __version__,
        "inputs": ", ".join(str(each.get("name")) for each in _objects(inputs)),
        "results": ", ".join(runs),
        "recording_losses": ", ".join(_losses(quality[0])),
    }
    return {name: value for name, value in facts.items() if value}


def _losses(quality: pa.Table) -> Iterable[str]:
    for row in quality.to_pylist():
        if row["severity"] == Severity.DATA_LOSS.value:
            yield f"{row['counter']}: {row['count']}"
