"""A filter reads only the row groups that can match: those that can't are damaged here, and not missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from report.runs import full_run

from spetrace.report.atomic import ROW_GROUP_ROWS, write_table
from spetrace.report.dataset import collect
from spetrace.report.parquet import save_run
from spetrace.tables.results import OUTCOME, PINNED
from spetrace.tables.spe_records import SPE_RECORDS

GROUPS = 4
KERNEL = 0xFFFF_8000_0000_0000
STRATEGIES = ("map-on-fault", "pin-on-enable", "pin-vm", "pin-walk")


def count_by_duckdb(path: Path, column: str, low: Any, high: Any) -> int:
    query = f"SELECT count(*) FROM (FROM '{path}' WHERE {column} BETWEEN ? AND ?)"
    with duckdb.connect() as connection:
        return int(connection.execute(query, [low, high]).fetchall()[0][0])


def count_by_polars(path: Path, column: str, low: Any, high: Any) -> int:
    kept = pl.col(column).is_between(pl.lit(low), pl.lit(high))
    return len(pl.scan_parquet(path).filter(kept).collect())


def count_by_pandas(path: Path, column: str, low: Any, high: Any) -> int:
    low, high = _typed(column, low), _typed(column, high)
    return len(pd.read_parquet(path, filters=[(column, ">=", low), (column, "<=", high)]))


def count_by_pyarrow(path: Path, column: str, low: Any, high: Any) -> int:
    low, high = _typed(column, low), _typed(column, high)
    kept = (ds.field(column) >= low) & (ds.field(column) <= high)
    return len(ds.dataset(path).to_table(filter=kept))


def _typed(column: str, value: Any) -> Any:
    """Addresses do not fit the int64 that pyarrow takes an int for."""
    return pa.scalar(value, pa.uint64()) if column == "pc" else value


READERS: dict[str, Callable[[Path, str, Any, Any], int]] = {
    "duckdb": count_by_duckdb,
    "polars": count_by_polars,
    "pandas": count_by_pandas,
    "pyarrow": count_by_pyarrow,
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table spe_records as ingest leaves it: a CPU's records after another's, times rising in each."""
    rows = GROUPS * ROW_GROUP_ROWS
    place = np.arange(rows, dtype=np.int64)
    cpu = (place // ROW_GROUP_ROWS).astype(np.int32)
    table = SPE_RECORDS.from_columns(
        {
            "source": np.zeros(rows, np.uint16),
            "cpu": cpu,
            "aux_offset": (place * 64).astype(np.uint64),
            "size_bytes": np.full(rows, 64, np.uint32),
            "time_ns": 1_000_000 + place,
            "pc": place.astype(np.uint64) + np.uint64(KERNEL),
        }
    )
    path = tmp_path_factory.mktemp("records") / "spe_records.parquet"
    write_table(table, path)
    return path


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table outcomes as a replay leaves it: one strategy after another."""
    rows = GROUPS * ROW_GROUP_ROWS
    codes = pa.array((np.arange(rows) // ROW_GROUP_ROWS).astype(np.int32))
    table = OUTCOME.from_columns(
        {
            "strategy": pa.DictionaryArray.from_arrays(codes, pa.array(STRATEGIES)),
            "row": np.arange(rows, dtype=np.uint64) % ROW_GROUP_ROWS,
            "outcome": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(rows, np.int32)), pa.array(["captured"])
            ),
        }
    )
    path = tmp_path_factory.mktemp("outcomes") / "outcomes.parquet"
    write_table(table, path)
    return path


def damaged(path: Path, groups: Iterable[int], folder: Path) -> Path:
    """A copy of the file with the pages of these row groups overwritten."""
    data = bytearray(path.read_bytes())
    metadata = pq.read_metadata(path)
    for group in groups:
        for place in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(place)
            offsets = (chunk.dictionary_page_offset, chunk.data_page_offset)
            start = min(offset for offset in offsets if offset)
            data[start : start + chunk.total_compressed_size] = (
                b"\xff" * chunk.total_compressed_size
            )
    copy = folder / path.name
    copy.write_bytes(data)
    return copy


@pytest.mark.parametrize("library", READERS)
@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("cpu", 2, 2),
        ("time_ns", 1_000_000 + 2 * ROW_GROUP_ROWS, 1_000_000 + 3 * ROW_GROUP_ROWS - 1),
        ("pc", KERNEL + 2 * ROW_GROUP_ROWS, KERNEL + 3 * ROW_GROUP_ROWS - 1),
    ],
    ids=["cpu", "time", "address"],
)  # fmt: skip
def test_filter_of_records_skips_row_groups(
    records: Path, tmp_path: Path, library: str, column: str, low: int, high: int
) -> None:
    path = damaged(records, (0, 1, 3), tmp_path)
    assert READERS[library](path, column, low, high) == ROW_GROUP_ROWS


def test_filter_of_strategies_skips_row_groups(outcomes: Path, tmp_path: Path) -> None:
    """pyarrow (so pandas) and polars use no statistics of dictionary columns: see the dataset below."""
    path = damaged(outcomes, (0, 1, 3), tmp_path)
    assert count_by_duckdb(path, "strategy", STRATEGIES[2], STRATEGIES[2]) == ROW_GROUP_ROWS


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Table pinned of a dataset of two captures, where only pin-vm's file of one can be read."""
    run = full_run()
    run.pinned = PINNED.from_rows([(name, 0, 5, 4096) for name in ("pin-vm", "map-on-fault")])
    save_run(run, tmp_path / "run")
    captures = dict.fromkeys(("one", "two"), tmp_path / "run")
    assert len(list(collect(captures, tmp_path / "dataset"))) == 2
    pinned = tmp_path / "dataset" / "pinned"
    for path in pinned.rglob("*.parquet"):
        if path.parent != pinned / "capture=one" / "strategy=pin-vm":
            groups = range(pq.read_metadata(path).num_row_groups)
            path.write_bytes(damaged(path, groups, tmp_path).read_bytes())
    return pinned


def partition_by_duckdb(path: Path) -> list[Any]:
    query = (
        f"SELECT ts FROM read_parquet('{path}/**/*.parquet', hive_partitioning = true) "
        "WHERE capture = 'one' AND strategy = 'pin-vm'"
    )
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


def partition_by_polars(path: Path) -> list[Any]:
    kept = (pl.col("capture") == "one", pl.col("strategy") == "pin-vm")
    return pl.scan_parquet(path, hive_partitioning=True).filter(*kept).collect()["ts"].to_list()


def partition_by_pandas(path: Path) -> list[Any]:
    filters = [("capture", "==", "one"), ("strategy", "==", "pin-vm")]
    return list(pd.read_parquet(path, filters=filters)["ts"])


def partition_by_pyarrow(path: Path) -> list[Any]:
    kept = (ds.field("capture") == "one") & (ds.field("strategy") == "pin-vm")
    return ds.dataset(path, partitioning="hive").to_table(filter=kept)["ts"].to_pylist()


@pytest.mark.parametrize(
    "read", [partition_by_duckdb, partition_by_polars, partition_by_pandas, partition_by_pyarrow]
)
def test_filter_of_a_dataset_reads_its_partitions_alone(
    dataset: Path, read: Callable[[Path], list[Any]]
) -> None:
    assert read(dataset) == [5]


@pytest.mark.parametrize("library", READERS)
def test_damage_is_noticed_where_it_is_read(records: Path, tmp_path: Path, library: str) -> None:
    path, middle = damaged(records, (0, 1, 3), tmp_path), 1_000_000 + 3 * ROW_GROUP_ROWS // 2
    errors = (duckdb.Error, pa.ArrowException, OSError, pl.exceptions.PolarsError)
    with pytest.raises(errors):
        READERS[library](path, "time_ns", middle, middle + ROW_GROUP_ROWS)


def test_row_groups_are_those_that_can_match(records: Path) -> None:
    """What pyarrow says it would read."""
    fragment = next(iter(ds.dataset(records).get_fragments()))
    kept = fragment.subset(ds.field("cpu") == 1)
    assert [group.id for group in kept.row_groups] == [1]
    assert len(fragment.row_groups) == GROUPS


def test_columns_that_nobody_seeks_a_range_in_have_no_statistics(records: Path) -> None:
    group = pq.read_metadata(records).row_group(0)
    chunks = {c.path_in_schema: c for c in map(group.column, range(group.num_columns))}
    for name in (
        "cpu",
        "time_ns",
        "timestamp_ticks",
        "pc",
        "va",
        "aux_offset",
        "source",
        "context_el1",
    ):
        assert chunks[name].is_stats_set, name
    for name in ("total_latency_cycles", "pa_ns", "pc_exception_level"):
        assert not chunks[name].is_stats_set, name
