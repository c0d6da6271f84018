"""A dataset of many results: Parquet in hive partitions, `TABLE/capture=NAME/strategy=NAME/`.

Every capture has a file of each table for each of its strategies, without rows where there are
none, so that a table can be read whatever the captures hold. `captures/NAME.json` is written last:
a capture without one is not whole, and is written anew the next time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from spetrace.errors import InputError, OutputError, UsageError
from spetrace.report.atomic import write_text
from spetrace.report.folder_lock import holding
from spetrace.report.interleaved import InterleavedTables
from spetrace.report.parquet import check_results_folder, iter_table, load_table
from spetrace.report.session_json import load_session
from spetrace.report.staging import staging_folder
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.quality import QUALITY
from spetrace.tables.results import ABORTS, BLACKOUTS, OUTCOME, PINNED, RESULTS
from spetrace.tables.table import Table

VERSION: Final = 1
_REQUIRED: Final = (RESULTS, BLACKOUTS, ABORTS, PINNED, QUALITY)
_OPTIONAL: Final = (OUTCOME, FIDELITY)
_TABLES: Final = (*_REQUIRED, *_OPTIONAL)
_CAPTURES: Final = "captures"
_PART: Final = "part.parquet"
_STRATEGY: Final = "strategy"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")
_TYPED: Final = ("true", "false", "nan", "inf", "infinity", "null", "none")
"""Words that readers of hive partitions take for something else than text."""


@dataclass(frozen=True)
class Collected:
    """One capture of a dataset."""

    capture: str
    rows: Mapping[str, int]
    """Rows by table; empty where the capture was left as it is."""

    @property
    def is_new(self) -> bool:
        """Whether it was written: it was not there, or from other results."""
        return bool(self.rows)


def collect(
    results: Mapping[str, Path],
    dataset: Path,
    progress: Callable[[float], None] = lambda _done: None,
) -> Iterator[Collected]:
    """Put results folders into `dataset` (made where it is missing) under their captures' names.

    A capture that is there, from the same bytes, stays; from others it is replaced. Raises
    UsageError for a name that is none, InputError for what is no results folder, OutputError.
    """
    for name in results:
        check_capture_name(name)
    if (dataset / "session.json").exists():
        raise UsageError(f"{dataset}: holds results or a session; a dataset needs its own folder")
    for done, (name, folder) in enumerate(results.items()):
        progress(done / len(results))
        yield _collect(name, folder, dataset)


def check_capture_name(name: str) -> None:
    """Raise UsageError unless every reader of hive partitions takes `name` for this text."""
    if not _NAME.fullmatch(name) or name.lower() in _TYPED:
        raise UsageError(
            f"capture {name!r}: a name begins with a letter and holds letters, digits, '.', '_' "
            "and '-'; give one by NAME=DIR"
        )


def _collect(capture: str, folder: Path, dataset: Path) -> Collected:
    check_results_folder(folder)
    session = load_session(folder / "session.json")
    if not session.get("strategies"):
        cause = "session.json names no strategy: give the folder that spetrace replay -o wrote"
        raise InputError("results folder", cause, file=str(folder))
    digest = _digest(folder)
    with _alone(dataset):
        if _known_digest(dataset, capture) == digest:
            return Collected(capture, {})
        with staging_folder(dataset, ".collect.") as staging:
            rows = _write_tables(folder, staging)
            _publish(staging, dataset, capture)
        _describe(dataset, capture, digest, rows, session)
    return Collected(capture, rows)


def _describe(
    dataset: Path, capture: str, digest: str, rows: Mapping[str, int], session: Mapping[str, Any]
) -> None:
    facts = {
        "version": VERSION,
        "capture": capture,
        "sha256": digest,
        "tables": {
            name: {"version": _declared(name).version, "rows": n} for name, n in rows.items()
        },
        "session": session,
    }
    write_text(json.dumps(facts, indent=1) + "\n", _about(dataset, capture))


def _write_tables(folder: Path, staging: Path) -> dict[str, int]:
    """Write the folder's tables into `staging`; rows by table."""
    results = load_table(RESULTS, folder / f"{RESULTS.name}.parquet")
    strategies = pc.unique(results[_STRATEGY].cast(pa.string())).to_pylist()
    rows = {}
    for declared in _TABLES:
        path = folder / f"{declared.name}.parquet"
        if declared in _REQUIRED or path.exists():
            rows[declared.name] = _write_table(declared, path, staging / declared.name, strategies)
    return rows


def _write_table(declared: Table, path: Path, target: Path, strategies: list[str]) -> int:
    """Write one table below `target`, a file per strategy where it has strategies; its rows."""
    is_split = _STRATEGY in declared.names
    kept = declared.select([name for name in declared.names if name != _STRATEGY])
    files = {name: target / f"{_STRATEGY}={quote(name, safe='')}" / _PART for name in strategies}
    for file in files.values() if is_split else [target / _PART]:
        file.parent.mkdir(parents=True)
    with InterleavedTables() as tables:
        for file in files.values() if is_split else [target / _PART]:
            tables.add(file, kept.empty())
        for piece in iter_table(declared, path):
            if not is_split:
                tables.add(target / _PART, piece)
                continue
            for name, own in _by_strategy(piece):
                if name not in files:
                    cause = f"has strategy {name}, which {RESULTS.name}.parquet lacks"
                    raise InputError(f"table {declared.name}", cause, file=str(path))
                tables.add(files[name], own.select(kept.names).cast(kept.schema))
    return sum(tables.rows.values())


def _by_strategy(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    names = table[_STRATEGY].cast(pa.string())
    for name in pc.unique(names):
        yield name.as_py(), table.filter(pc.equal(names, name))


@contextmanager
def _alone(dataset: Path) -> Iterator[None]:
    """One that collects at a time; makes the folder. OSErrors of the block are OutputErrors."""
    try:
        dataset.mkdir(parents=True, exist_ok=True)
        with holding(dataset):
            yield
    except OSError as error:
        raise OutputError(f"{dataset}: can't be written: {error.strerror or error}") from error


def _publish(staging: Path, dataset: Path, capture: str) -> None:
    """Put the staged tables in place of the capture's earlier ones, table by table."""
    about = _about(dataset, capture)
    about.parent.mkdir(exist_ok=True)
    about.unlink(missing_ok=True)
    for declared in _TABLES:
        new = staging / declared.name
        place = dataset / declared.name / f"capture={capture}"
        if place.exists():
            place.rename(staging / f"{declared.name}.earlier")
        if new.exists():
            place.parent.mkdir(exist_ok=True)
            new.rename(place)


def _about(dataset: Path, capture: str) -> Path:
    return dataset / _CAPTURES / f"{capture}.json"


def _known_digest(dataset: Path, capture: str) -> str | None:
    """The digest of what the capture was made from; None where it is not there, or not whole.

    Raises InputError where a newer version of spetrace wrote it.
    """
    path = _about(dataset, capture)
    try:
        facts: Any = json.loads(path.read_bytes())
        version, digest = facts["version"], str(facts["sha256"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(version, int) or version > VERSION:
        cause = f"is of version {version}; this spetrace reads versions up to {VERSION}"
        raise InputError("dataset", cause, file=str(path))
    return digest


def _digest(folder: Path) -> str:
    """One hash of all that is collected of a results folder."""
    names = ["session.json", *(f"{table.name}.parquet" for table in _TABLES)]
    hashes = {}
    for name in names:
        try:
            with (folder / name).open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            continue
        except OSError as error:
            cause = error.strerror or str(error)
            raise InputError("results folder", cause, file=str(folder / name)) from error
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()


def _declared(name: str) -> Table:
    return next(table for table in _TABLES if table.name == name)
