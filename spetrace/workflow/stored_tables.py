"""The tables of a session folder, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from spetrace.report.parquet import iter_table, load_table
from spetrace.tables.table import Table


class StoredTables(Mapping[str, pa.Table]):
    """Those of the tables `wanted` that a folder holds, by name; see `StreamedTables`.

    Taking one raises InputError where it can't be read.
    """

    def __init__(self, folder: Path, wanted: Sequence[Table]) -> None:
        files = {table: folder / f"{table.name}.parquet" for table in wanted}
        self._files = {t.name: (t, path) for t, path in files.items() if path.is_file()}

    def __getitem__(self, name: str) -> pa.Table:
        return load_table(*self._files[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def batches_of(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of one table in order."""
        for piece in iter_table(*self._files[name]):
            yield from piece.to_batches()
