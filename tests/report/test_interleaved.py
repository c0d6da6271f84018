from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spetrace.errors import OutputError
from spetrace.report.interleaved import InterleavedTables


def piece(start: int, rows: int) -> pa.Table:
    return pa.table({"n": pa.array(range(start, start + rows), pa.int64())})


def test_tables_are_their_pieces_in_order(tmp_path: Path) -> None:
    busy, calm = tmp_path / "busy.parquet", tmp_path / "calm.parquet"
    with InterleavedTables(held_rows=10) as tables:
        for n in range(7):
            tables.add(busy, piece(4 * n, 4))
            if n < 2:
                tables.add(calm, piece(n, 1))
        assert not busy.exists()
    assert tables.rows == {busy: 28, calm: 2}
    assert pq.read_table(busy)["n"].to_pylist() == list(range(28))
    assert pq.read_table(calm)["n"].to_pylist() == [0, 1]
    assert pq.read_metadata(busy).num_row_groups > 1
    assert pq.read_metadata(calm).num_row_groups == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["busy.parquet", "calm.parquet"]


def test_a_table_without_rows_is_written(tmp_path: Path) -> None:
    with InterleavedTables() as tables:
        tables.add(tmp_path / "none.parquet", piece(0, 0))
    assert pq.read_table(tmp_path / "none.parquet").schema == piece(0, 0).schema


def fail_half_way(folder: Path) -> None:
    with InterleavedTables(held_rows=2) as tables:
        tables.add(folder / "a.parquet", piece(0, 4))
        tables.add(folder / "b.parquet", piece(0, 1))
        raise ZeroDivisionError


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_half_way(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"), InterleavedTables() as tables:
        tables.add(tmp_path / "absent" / "a.parquet", piece(0, 4))
