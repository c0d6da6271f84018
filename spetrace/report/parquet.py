"""A results folder: a run's tables as Parquet, its session.json, and the reports made from them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.errors import InputError, OutputError
from spetrace.report.atomic import write_table, write_text
from spetrace.report.comparison import compare
from spetrace.report.html import render_html
from spetrace.report.json_report import render_json
from spetrace.report.mail import render_mail
from spetrace.report.session_json import load_session
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.quality import QUALITY
from spetrace.tables.results import ABORTS, BLACKOUTS, OUTCOME, PINNED, RESULTS
from spetrace.tables.run import Run
from spetrace.tables.table import Table

_TABLES = (RESULTS, BLACKOUTS, ABORTS, PINNED, QUALITY)
_OPTIONAL = (OUTCOME, FIDELITY)
"""Tables that a run may lack: its folder has no file of them then."""
_SESSION = "session.json"


def save_run(run: Run, folder: Path) -> list[Path]:
    """Write `run` and its reports into `folder` (made where it is missing) and return the files.

    Each file appears whole or not at all, session.json last: a folder without one is no run.
    Raises OutputError where the system refuses.
    """
    comparison = compare(run)
    tables = {declared: getattr(run, declared.name) for declared in _TABLES}
    if run.outcomes is not None:
        tables[OUTCOME] = run.outcomes
    if len(run.fidelity):
        tables[FIDELITY] = run.fidelity
    texts = {
        "report.json": render_json(run),
        "report.txt": render_mail(comparison),
        "report.html": render_html(comparison),
        _SESSION: json.dumps(run.session, indent=1) + "\n",
    }
    _clear(folder)
    for declared, table in tables.items():
        write_table(table.select(declared.names).cast(declared.schema), _file(folder, declared))
    for name, text in texts.items():
        write_text(text, folder / name)
    return [_file(folder, declared) for declared in tables] + [folder / name for name in texts]


def load_run(folder: Path) -> Run:
    """The run that was saved in `folder`.

    Raises InputError where a file is missing or damaged, or of a newer major version.
    """
    session = load_session(folder / _SESSION)
    tables = {declared.name: load_table(declared, _file(folder, declared)) for declared in _TABLES}
    for declared in _OPTIONAL:
        if _file(folder, declared).exists():
            tables[declared.name] = load_table(declared, _file(folder, declared))
    return Run(**tables, session=session)


def load_table(declared: Table, path: Path) -> pa.Table:
    """The table `declared` out of a Parquet file that spetrace wrote.

    Columns that an older minor version lacks are null, those that a newer one adds are left away.
    Raises InputError where the file can't be read as that table.
    """
    structure = f"table {declared.name}"
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            _check_version(declared, file.schema_arrow.metadata or {})
            table = file.read([n for n in declared.names if n in file.schema_arrow.names])
    except (OSError, ValueError, pa.ArrowException) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise InputError(structure, cause, file=str(path)) from error
    except InputError as error:
        raise error.in_file(str(path)) from error
    _check_columns(declared, table, path)
    return declared.from_columns({name: table[name] for name in table.column_names}, len(table))


def _clear(folder: Path) -> None:
    """Make `folder`, or make an earlier run in it none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (_SESSION, *(_file(folder, table).name for table in _OPTIONAL)):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror or error}") from error


def _file(folder: Path, declared: Table) -> Path:
    return folder / f"{declared.name}.parquet"


def _check_version(declared: Table, metadata: dict[bytes, bytes]) -> None:
    name = metadata.get(b"spetrace.table", b"").decode("utf-8", "replace")
    version = metadata.get(b"spetrace.version", b"").decode("utf-8", "replace")
    if name != declared.name:
        found = f"is table {name}" if name else "names no spetrace table"
        raise InputError(f"table {declared.name}", f"the file {found}")
    major, known = version.partition(".")[0], declared.version.partition(".")[0]
    if not major.isdecimal() or int(major) > int(known):
        cause = f"is of version {version}; this spetrace reads versions up to {known}.x"
        raise InputError(f"table {declared.name}", cause)


def _check_columns(declared: Table, table: pa.Table, path: Path) -> None:
    for column in declared.columns:
        missing = column.name not in table.column_names
        if not column.nullable and (missing or table[column.name].null_count):
            cause = f"column {column.name} is missing or has nulls"
            raise InputError(f"table {declared.name}", cause, file=str(path))
