"""A session folder: every table that recordings give, the event log, and session.json.

`spetrace ingest` writes it and `spetrace replay` reads it back, without the recordings.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from spetrace import __version__
from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.quality import Quality
from spetrace.replay.parameters import Parameters
from spetrace.report.atomic import write_batches, write_table, write_text
from spetrace.report.interleaved import InterleavedTables
from spetrace.report.parquet import load_table
from spetrace.report.session_json import load_session
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.events import EVENTS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.session import Assumption, Session, batches_of, pieces_of
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS
from spetrace.workflow.session_records import SPE_FILE

VERSION = 1
DESCRIPTION = "session.json"
EVENT_LOG = "events.parquet"
DERIVED = (
    AUX_RECORDS, RECORDING_GAPS, MAPPINGS, THREADS,
    KVM_EXITS, STAGE2_FAULTS, SPE_REGISTER_ACCESSES, VM_STATE, REFAULTS,
)  # fmt: skip
OWNED = (
    DESCRIPTION, EVENT_LOG, "quality.parquet", SPE_FILE, "tracepoints",
    *(f"{table.name}.parquet" for table in DERIVED),
)  # fmt: skip
"""What may be in a session folder; an earlier one's is removed where the new one lacks it."""


def versions() -> dict[str, str]:
    """The versions that a result depends on: spetrace, Python and the libraries that compute."""
    libraries = ("numpy", "numba", "polars", "pyarrow")
    return {
        "spetrace": __version__,
        "python": platform.python_version(),
        **{library: version(library) for library in libraries},
    }


def quality_table(quality: Sequence[tuple[int | None, Quality]]) -> pa.Table:
    """Counters per source as table quality."""
    rows: list[tuple[Any, ...]] = [
        (
            source,
            counter.name,
            counter.severity.value,
            count,
            counter.remedy,
            counters.details.get(counter.name),
        )
        for source, counters in quality
        for counter, count in counters
    ]
    return QUALITY.from_rows(rows)


def write_tables(session: Session, folder: Path) -> dict[str, int]:
    """Write the session's tables, and its event log where it has one, into `folder`.

    SPE records and what was lost are not among them. Returns rows by file. Raises OutputError.
    """
    rows = _write_tracepoints(session.tracepoints, folder)
    rows |= _write_events(session, folder / EVENT_LOG)
    for table in DERIVED:
        if table.name in session.tables:
            path = folder / f"{table.name}.parquet"
            batches = batches_of(session.tables, table.name)
            rows[path.name] = write_batches(batches, table.schema, path)
    return rows


def write_quality(session: Session, folder: Path) -> dict[str, int]:
    """Write what was lost, once all inputs were gone through; rows by file. Raises OutputError."""
    table, path = quality_table(session.quality), folder / "quality.parquet"
    write_table(table, path)
    return {path.name: len(table)}


def write_description(session: Session, folder: Path) -> None:
    """Write session.json: a folder with one is complete. Raises OutputError."""
    write_text(json.dumps(describe_session(session), indent=2) + "\n", folder / DESCRIPTION)


def describe_session(session: Session) -> dict[str, Any]:
    """session.json: inputs, clocks, machines, parameters, assumptions and versions."""
    return {
        "version": VERSION,
        "inputs": session.inputs,
        "clocks": session.clocks,
        "machines": session.machines,
        "parameters": session.parameters,
        "assumptions": [asdict(a) for a in session.assumptions],
        "versions": versions(),
    }


def _write_events(session: Session, path: Path) -> dict[str, int]:
    batches = chain(session.events.to_batches(), session.event_batches)
    first = next((batch for batch in batches if batch.num_rows), None)
    if first is None:
        return {}
    return {path.name: write_batches(chain([first], batches), EVENTS.schema, path)}


def _write_tracepoints(tracepoints: Mapping[str, pa.Table], folder: Path) -> dict[str, int]:
    with InterleavedTables() as tables:
        for tracepoint, piece in pieces_of(tracepoints):
            path = folder / "tracepoints" / f"{_file_name(tracepoint)}.parquet"
            path.parent.mkdir(exist_ok=True)
            tables.add(path, piece)
    return {str(path.relative_to(folder)): rows for path, rows in tables.rows.items()}


def _file_name(tracepoint: str) -> str:
    """The tracepoint's name as a file name: it comes from the recording, and may hold anything."""
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in tracepoint).lstrip(".") or "_"


def is_session_folder(path: Path) -> bool:
    """Whether `path` is a folder that `spetrace ingest` wrote (results have a session.json, too)."""
    return (path / DESCRIPTION).is_file() and not (path / "results.parquet").is_file()


def event_log_of(folder: Path) -> Path:
    """The event log of a session folder; NothingToReplayError where its recordings gave none."""
    path = folder / EVENT_LOG
    if not path.is_file():
        raise NothingToReplayError(
            f"{folder}: nothing to replay: holds no {EVENT_LOG}, which spetrace ingest writes where "
            "there is SPE data, recorded or assumed (--assume-spe)"
        )
    return path


def read_session(folder: Path, events: pa.Table) -> Session:
    """The session of a folder whose event log is `events`.

    Raises InputError where session.json or quality.parquet are not as `write_tables` leaves them.
    """
    path = folder / DESCRIPTION
    facts = read_description(folder)
    try:
        session = Session(
            inputs=list(facts["inputs"]),
            events=events,
            parameters=dict(facts["parameters"]),
            assumptions=[Assumption(**a) for a in facts["assumptions"]],
            machines=list(facts["machines"]),
            clocks=list(facts["clocks"]),
        )
        path = folder / "quality.parquet"
        session.quality = _quality_of(load_table(QUALITY, path))
    except (ValueError, LookupError, TypeError) as error:
        raise _not_as_left(path, error) from error
    return session


def check_page_size(session: Session, parameters: Mapping[str, Any]) -> None:
    """Raise UsageError where `parameters` ask for another page size than a folder's events are in."""
    own = session.parameters.get("page_size", Parameters().page_size)
    asked = parameters.get("page_size", own)
    if asked != own:
        raise UsageError(
            f"{session.folder}: its events are in pages of {own} bytes, a page size of {asked} is "
            "late: ingest the recordings with it"
        )


def read_description(folder: Path) -> dict[str, Any]:
    """session.json of a session folder; raises InputError as `load_session` does."""
    return load_session(folder / DESCRIPTION)


def _not_as_left(path: Path, error: Exception) -> InputError:
    cause = f"not as spetrace ingest leaves it: {type(error).__name__}: {error}"
    return InputError("session folder", cause, file=str(path))


def read_kvm_tables(
    folder: Path, wanted: Sequence[Table] = (KVM_EXITS, STAGE2_FAULTS)
) -> dict[str, pa.Table]:
    """Tables of a session folder, those of `wanted` that it holds.

    Raises InputError for one that can't be read.
    """
    files = {table: folder / f"{table.name}.parquet" for table in wanted}
    return {t.name: load_table(t, path) for t, path in files.items() if path.is_file()}


def _quality_of(table: pa.Table) -> list[tuple[int | None, Quality]]:
    by_source: dict[int | None, Quality] = {}
    for row in table.to_pylist():
        counters = by_source.setdefault(row["source"], Quality())
        counters.add(row["counter"], row["count"], row.get("detail"))
    return list(by_source.items())
