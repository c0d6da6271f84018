"""What `spetrace profile` reads: a session folder, or recordings as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa

from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.ingest.importer import read_raw_spe, read_recording
from spetrace.profile.samples import Samples, Scan
from spetrace.report.parquet import iter_table, load_table
from spetrace.session.choices import Choices
from spetrace.session.recording_tables import recording_tables
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording import Recording
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS
from spetrace.workflow.session_folder import DESCRIPTION, quality_table, read_description
from spetrace.workflow.session_records import SPE_FILE

FRAME_ROWS: Final = 1 << 19
"""Records that are counted at a time."""
_ALL_CPUS: Final = "all"


@dataclass
class ProfileInput:
    """Samples, and what is known of the recordings they come from."""

    samples: Samples
    gaps: pl.DataFrame
    """Table recording_gaps."""
    inputs: list[dict[str, Any]]
    recordings: Sequence[Recording] = ()
    """Whose quality is complete once all records were read; none for a folder."""
    quality: pa.Table | None = None
    """Table quality of a folder."""

    def losses(self) -> pa.Table:
        """Table quality, once all records were read."""
        if self.quality is not None:
            return self.quality
        return quality_table(
            [(n, recording.quality) for n, recording in enumerate(self.recordings)]
        )


def open_profile(
    paths: Sequence[Path],
    cpu: int | None = None,
    source: int | None = None,
    raw_spe: Sequence[Path] = (),
) -> ProfileInput:
    """The samples of a session folder (alone) or of recordings, `raw_spe` those of bare SPE bytes.

    Raises InputError, UsageError, and NothingToReplayError where there is no SPE record.
    """
    folders = [path for path in paths if path.is_dir()]
    if folders and len(paths) + len(raw_spe) > 1:
        raise UsageError(f"{folders[0]}: a session folder is profiled alone, without other inputs")
    if folders:
        opened = _open_folder(paths[0], cpu, source)
    else:
        opened = _open_files(paths, raw_spe, cpu, source)
    if source is not None and source >= len(opened.inputs):
        last = len(opened.inputs) - 1
        raise UsageError(f"--source {source}: inputs are numbered 0 to {last}")
    return opened


def _open_files(
    paths: Sequence[Path], raw_spe: Sequence[Path], cpu: int | None, source: int | None
) -> ProfileInput:
    recordings = [*map(read_recording, paths), *map(read_raw_spe, raw_spe)]
    if not any(recording.spe for recording in recordings):
        raise NothingToReplayError(f"{paths[0]}: holds no SPE data")
    tables = recording_tables(recordings, {}, Choices())
    mappings, threads, gaps = (
        _frame(tables.get(table.name, table.empty()))
        for table in (MAPPINGS, THREADS, RECORDING_GAPS)
    )
    samples = Samples(
        scan_recordings(recordings),
        mappings,
        threads,
        {n: r.spe.midrs for n, r in enumerate(recordings) if r.spe},
        len(recordings),
        cpu,
        source,
    )
    inputs = [{"name": r.name, "format": r.format, "size_bytes": r.size_bytes} for r in recordings]
    return ProfileInput(samples, gaps, inputs, recordings)


def _open_folder(folder: Path, cpu: int | None, source: int | None) -> ProfileInput:
    if not (folder / SPE_FILE).is_file():
        raise NothingToReplayError(
            f"{folder}: holds no {SPE_FILE}: it is no session folder (spetrace ingest), or one "
            "without SPE data"
        )
    inputs = _inputs(folder)
    samples = Samples(
        _scan_parquet(folder / SPE_FILE),
        _load(MAPPINGS, folder),
        _load(THREADS, folder),
        {n: _midrs(facts) for n, facts in enumerate(inputs)},
        len(inputs),
        cpu,
        source,
    )
    quality = _load(QUALITY, folder).to_arrow()
    named = [{key: i.get(key) for key in ("name", "format", "size_bytes")} for i in inputs]
    return ProfileInput(
        samples, _load(RECORDING_GAPS, folder), named, quality=QUALITY.from_polars(_frame(quality))
    )


def scan_recordings(recordings: Sequence[Recording]) -> Scan:
    """The records of all recordings, in the order of table spe_records of a session."""

    def scan(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Frames of these columns, decoded now."""
        for source, recording in enumerate(recordings):
            if recording.spe:
                batches = (batch for _, batch in recording.spe.batches(columns, source))
                yield from _frames(batches)

    return scan


def _scan_parquet(path: Path) -> Scan:
    def scan(columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        return map(_frame, iter_table(SPE_RECORDS.select(columns), path, FRAME_ROWS))

    return scan


def _frames(batches: Iterable[pa.RecordBatch]) -> Iterator[pl.DataFrame]:
    """Frames of about FRAME_ROWS rows."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= FRAME_ROWS:
            yield _frame(pa.Table.from_batches(held))
            held, rows = [], 0
    if held:
        yield _frame(pa.Table.from_batches(held))


def _inputs(folder: Path) -> list[dict[str, Any]]:
    try:
        return [{**facts} for facts in read_description(folder)["inputs"]]
    except (LookupError, TypeError) as error:
        cause = f"not as spetrace ingest leaves it: {type(error).__name__}: {error}"
        raise InputError("session folder", cause, file=str(folder / DESCRIPTION)) from error


def _midrs(facts: Mapping[str, Any]) -> dict[int | None, int]:
    """MIDR_EL1 by CPU (None: all others) of an input in session.json."""
    try:
        told = dict(facts.get("midrs") or {})
        return {None if c == _ALL_CPUS else int(c): int(midr, 16) for c, midr in told.items()}
    except (TypeError, ValueError) as error:
        raise InputError("session.json", f"midrs: {error}") from error


def _load(table: Table, folder: Path) -> pl.DataFrame:
    """A table of the folder; empty where the folder doesn't have it."""
    path = folder / f"{table.name}.parquet"
    return _frame(load_table(table, path) if path.is_file() else table.empty())


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
