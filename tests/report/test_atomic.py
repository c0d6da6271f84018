from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spetrace.errors import InputError, OutputError
from spetrace.report.atomic import ROW_GROUP_ROWS, replacing, write_batches, write_table, write_text
from spetrace.tables.results import PINNED

ROWS = [("pin-vm", 0, ts, 4096 * ts) for ts in range(1000)]


def _broken() -> Iterator[pa.RecordBatch]:
    yield from PINNED.from_rows(ROWS).to_batches()
    raise InputError("ring buffer", "is damaged")


def test_table_goes_out_with_its_name_and_statistics(tmp_path: Path) -> None:
    table = PINNED.from_rows(ROWS)
    write_table(table, tmp_path / "pinned.parquet")
    file = pq.ParquetFile(tmp_path / "pinned.parquet")
    assert file.read().equals(table)
    assert file.schema_arrow.metadata[b"spetrace.table"] == b"pinned"
    assert file.schema_arrow.metadata[b"spetrace.version"] == PINNED.version.encode()
    column = file.metadata.row_group(0).column(2)
    assert column.compression == "ZSTD"
    assert (column.statistics.min, column.statistics.max) == (0, 999)


def test_table_without_rows_goes_out(tmp_path: Path) -> None:
    write_table(PINNED.empty(), tmp_path / "pinned.parquet")
    assert pq.read_table(tmp_path / "pinned.parquet").schema.names == PINNED.names


def test_small_batches_are_put_together_to_row_groups(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int32())])
    batch = pa.record_batch([pa.array(range(300_000), pa.int32())], schema=schema)
    path = tmp_path / "n.parquet"
    assert write_batches(iter([batch] * 5), schema, path) == 1_500_000
    metadata = pq.read_metadata(path)
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sizes == [ROW_GROUP_ROWS] * 5 + [1_500_000 - 5 * ROW_GROUP_ROWS]
    assert pq.read_table(path)["n"].to_pylist() == list(range(300_000)) * 5


def test_broken_off_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        write_batches(_broken(), PINNED.schema, tmp_path / "pinned.parquet")
    assert list(tmp_path.iterdir()) == []


def test_broken_off_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "pinned.parquet"
    write_table(PINNED.from_rows(ROWS[:5]), path)
    with pytest.raises(InputError):
        write_batches(_broken(), PINNED.schema, path)
    assert pq.read_metadata(path).num_rows == 5
    assert list(tmp_path.iterdir()) == [path]


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with replacing(tmp_path / "report.txt") as temporary:
            temporary.write_text("half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_refusing_system_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.txt: can't be written: No such file"):
        write_text("text", tmp_path / "missing" / "report.txt")


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text("µs\r\n\n", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == "µs\r\n\n".encode()
