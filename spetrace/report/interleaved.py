"""Several Parquet files written at once, from pieces of tables that come in any order."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.report.atomic import parquet_writer, replacing, write_table

_HELD_ROWS = 1 << 19
_MOST_PIECES = 256
"""A piece of a few rows takes some 20 KB: so many become one."""


class InterleavedTables:
    """Writes pieces of tables, each to the file of its table; the files appear when the block ends.

    Pieces are held until there are half a million rows, then those of the table with the most rows are
    written. So memory is bounded, and a table of few rows is one row group. Raises OutputError.
    """

    def __init__(self, held_rows: int = _HELD_ROWS) -> None:
        self.rows: dict[Path, int] = {}
        self._most_rows = held_rows
        self._held: dict[Path, list[pa.Table]] = {}
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._files = ExitStack()

    def __enter__(self) -> InterleavedTables:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._files.__exit__(kind, error, trace)
            return
        with self._files:
            for path in [path for path in self._held if path in self._writers]:
                self._write(path)
        for path, pieces in self._held.items():
            write_table(pa.concat_tables(pieces), path)

    def add(self, path: Path, piece: pa.Table) -> None:
        """Append rows to the table of `path`; all its pieces have one schema."""
        pieces = self._held.setdefault(path, [])
        pieces.append(piece)
        if len(pieces) == _MOST_PIECES:
            self._held[path] = [pa.concat_tables(pieces).combine_chunks()]
        self.rows[path] = self.rows.get(path, 0) + len(piece)
        held = {path: sum(map(len, pieces)) for path, pieces in self._held.items()}
        if sum(held.values()) >= self._most_rows:
            self._write(max(held, key=held.__getitem__))

    def _write(self, path: Path) -> None:
        table = pa.concat_tables(self._held.pop(path))
        if path not in self._writers:
            temporary = self._files.enter_context(replacing(path))
            writer = self._files.enter_context(parquet_writer(temporary, table.schema))
            self._writers[path] = writer
        self._writers[path].write_table(table)
