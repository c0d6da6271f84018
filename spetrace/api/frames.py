"""Tables as polars LazyFrames: of Parquet files, of what is made when asked for, of SPE records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from spetrace.report.parquet import check_file
from spetrace.tables.recording import Recording
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.table import Table

_ANY: Final = "size_bytes"
"""A narrow column, decoded where none is asked for: a frame without columns has no rows."""


def frame_of(table: pa.Table) -> pl.DataFrame:
    """An Arrow table as a polars frame."""
    return pl.DataFrame(pl.from_arrow(table))


def schema_of(table: pa.Table) -> pl.Schema:
    """Names and polars types of an Arrow table's columns."""
    return frame_of(table.slice(0, 0)).schema


def scan_file(declared: Table, path: Path) -> pl.LazyFrame:
    """A table's Parquet file; no rows where there is none.

    Columns that an older minor version lacks are null. Raises InputError for a file that is not that
    table, or of a newer major version.
    """
    known = schema_of(declared.empty())
    if not path.is_file():
        return pl.LazyFrame(schema=known)
    check_file(declared, path)
    frame = pl.scan_parquet(path)
    found = frame.collect_schema()
    missing = [pl.lit(None, dtype).alias(n) for n, dtype in known.items() if n not in found]
    return frame.with_columns(missing) if missing else frame


def deferred(make: Callable[[], pa.Table], schema: Callable[[], pa.Table]) -> pl.LazyFrame:
    """A table that is made when it is collected; `schema` gives it without its rows."""
    return pl.defer(lambda: frame_of(make()), schema=lambda: schema_of(schema()))


def scan_records(
    recordings: Sequence[Recording], offsets: Callable[[], Mapping[int, int]]
) -> pl.LazyFrame:
    """The SPE records of all recordings, decoded when collected: only the columns that are used.

    `offsets` gives per source what its times are moved by to be on the session's clock.
    """

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        """The frames that polars asks for: these columns, rows and no more than so many."""
        wanted = SPE_RECORDS.names if columns is None else columns
        for frame in _decoded(recordings, wanted or [_ANY], offsets):
            if rows is not None:
                frame = frame.head(rows)
                rows -= len(frame)
            chosen = frame if predicate is None else frame.filter(predicate)
            yield chosen.select(wanted) if wanted else chosen
            if rows == 0:
                return

    schema = schema_of(SPE_RECORDS.empty())
    return register_io_source(read, schema=schema, is_pure=True, explain_name="SPE records")


def _decoded(
    recordings: Sequence[Recording], columns: list[str], offsets: Callable[[], Mapping[int, int]]
) -> Iterator[pl.DataFrame]:
    moved = offsets() if "time_ns" in columns else {}
    for source, recording in enumerate(recordings):
        for _stream, batch in recording.spe.batches(columns, source) if recording.spe else ():
            frame = frame_of(pa.Table.from_batches([batch]))
            if moved.get(source):
                frame = frame.with_columns(pl.col("time_ns") + moved[source])
            yield frame
