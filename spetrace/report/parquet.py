"""A results folder: a run's tables as Parquet, its session.json, and the reports made from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.errors import InputError, OutputError
from spetrace.report.atomic import ROW_GROUP_ROWS, write_batches, write_table, write_text
from spetrace.report.charts import charts_of
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
from spetrace.tables.versions import check_version

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
    if len(run.fidelity):
        tables[FIDELITY] = run.fidelity
    texts = {
        "report.json": render_json(run),
        "report.txt": render_mail(comparison),
        "report.html": render_html(comparison, charts_of(run)),
        _SESSION: json.dumps(run.session, indent=1) + "\n",
    }
    _clear(folder)
    for declared, table in tables.items():
        write_table(table.select(declared.names).cast(declared.schema), _file(folder, declared))
    files = [_file(folder, declared) for declared in tables]
    outcomes = run.iter_outcomes()
    if outcomes is not None:
        files.append(_file(folder, OUTCOME))
        write_batches(outcomes, OUTCOME.schema, files[-1])
    for name, text in texts.items():
        write_text(text, folder / name)
    return files + [folder / name for name in texts]


def check_results_folder(folder: Path) -> None:
    """Raise InputError where `folder` is none that `save_run` wrote."""
    if not folder.exists():
        raise InputError("results folder", "there is none", file=str(folder))
    if not _file(folder, RESULTS).is_file():
        cause = f"has no {RESULTS.name}.parquet: give the folder that spetrace replay -o wrote"
        raise InputError("results folder", cause, file=str(folder))


def load_run(folder: Path, *, outcomes: bool = True) -> Run:
    """The run that was saved in `folder`; without its outcomes, a row per record, where not wanted.

    Raises InputError where a file is missing or damaged, or of a newer major version.
    """
    check_results_folder(folder)
    session = load_session(folder / _SESSION)
    tables = {declared.name: load_table(declared, _file(folder, declared)) for declared in _TABLES}
    for declared in _OPTIONAL if outcomes else (FIDELITY,):
        if _file(folder, declared).exists():
            tables[declared.name] = load_table(declared, _file(folder, declared))
    return Run(**tables, session=session)


def load_table(declared: Table, path: Path) -> pa.Table:
    """The table `declared` out of a Parquet file that spetrace wrote.

    Columns that an older minor version lacks are null, those that a newer one adds are left away.
    Raises InputError where the file can't be read as that table.
    """
    with _in_file(declared, path), pq.ParquetFile(path, memory_map=True) as file:
        check_version(declared, file.schema_arrow.metadata or {})
        table = file.read(_stored(declared, file))
    _check_columns(declared, table, path)
    return _whole(declared, table)


def iter_table(declared: Table, path: Path, rows: int = ROW_GROUP_ROWS) -> Iterator[pa.Table]:
    """What `load_table` gives, in pieces of at most `rows` rows; raises as that does."""
    with _in_file(declared, path), pq.ParquetFile(path, memory_map=True) as file:
        check_version(declared, file.schema_arrow.metadata or {})
        for batch in file.iter_batches(rows, columns=_stored(declared, file)):
            table = pa.Table.from_batches([batch])
            _check_columns(declared, table, path)
            yield _whole(declared, table)


def check_file(declared: Table, path: Path) -> None:
    """Raise InputError where a Parquet file is not the table `declared`, or of a newer major version."""
    with _in_file(declared, path):
        check_version(declared, pq.read_schema(path).metadata or {})


@contextmanager
def _in_file(declared: Table, path: Path) -> Iterator[None]:
    """What can go wrong with a file as an InputError that names it."""
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise InputError(f"table {declared.name}", cause, file=str(path)) from error
    except InputError as error:
        raise error.in_file(str(path)) from error


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


def _stored(declared: Table, file: pq.ParquetFile) -> list[str]:
    return [name for name in declared.names if name in file.schema_arrow.names]


def _whole(declared: Table, table: pa.Table) -> pa.Table:
    return declared.from_columns({name: table[name] for name in table.column_names}, len(table))


def _check_columns(declared: Table, table: pa.Table, path: Path) -> None:
    for column in declared.columns:
        missing = column.name not in table.column_names
        if not column.nullable and (missing or table[column.name].null_count):
            cause = f"column {column.name} is missing or has nulls"
            raise InputError(f"table {declared.name}", cause, file=str(path))
