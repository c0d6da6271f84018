"""Files that appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.errors import OutputError
from spetrace.report.encodings import encodings

ROW_GROUP_ROWS = 1 << 18
"""Few enough that readers skip most of a table by time or CPU, and that writing holds some 40 MB."""
_AT_A_TIME = 1 << 16


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes `path`'s name once the block ends without an exception.

    On an exception it is removed, and what was under `path` stands as it was. Raises OutputError
    where the system refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet; its schema's metadata (name, version) goes into the file's."""
    write_batches(table.to_batches(ROW_GROUP_ROWS), table.schema, path)


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
    """Write batches of `schema` as one Parquet file and return its rows.

    Small batches are put together to row groups, so no more than one row group is held.
    """
    rows = 0
    with replacing(path) as temporary, parquet_writer(temporary, schema) as writer:
        for group in _row_groups(batches):
            rows += group.num_rows
            writer.write_table(group, ROW_GROUP_ROWS)
    return rows


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of tables of `schema` to `path` itself."""
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        write_batch_size=_AT_A_TIME,
        max_rows_per_page=ROW_GROUP_ROWS,
        **encodings(schema),
    )


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        while batch.num_rows:
            piece = batch.slice(0, ROW_GROUP_ROWS - rows)
            batch = batch.slice(piece.num_rows)
            held.append(piece)
            rows += piece.num_rows
            if rows == ROW_GROUP_ROWS:
                yield pa.Table.from_batches(held)
                held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)
