"""schemas/ is as the code says, like a lock file."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from spetrace.report.atomic import write_table
from spetrace.tables.catalog import TABLES
from spetrace.tables.published import describe, render_schema, write_schemas

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
REGENERATE = "run `python -m spetrace.tables.published schemas` and commit what it writes"


@pytest.mark.parametrize("name", TABLES)
def test_published_schema_is_as_declared(name: str) -> None:
    path = SCHEMAS / f"{name}.json"
    assert path.is_file(), f"{path} is missing: {REGENERATE}"
    current = path.read_text(encoding="utf-8") == render_schema(TABLES[name], "json")
    assert current, f"{path} is out of date: {REGENERATE}"


def test_published_schemas_are_those_of_the_catalog() -> None:
    assert {path.stem for path in SCHEMAS.glob("*")} == set(TABLES), REGENERATE


def test_json_names_each_column_in_its_order() -> None:
    table = TABLES["spe_records"]
    document = json.loads(render_schema(table, "json"))
    assert document == describe(table)
    assert list(document) == ["table", "version", "doc", "columns"]
    assert [column["name"] for column in document["columns"]] == table.names
    columns = {column["name"]: column for column in document["columns"]}
    assert columns["operation"]["type"] == "dictionary<int32, string>"
    assert columns["other_counters"]["type"] == "list<struct<index: uint8, value: uint16>>"
    assert columns["size_bytes"] == {
        "name": "size_bytes",
        "type": "uint32",
        "nullable": False,
        "unit": "bytes",
        "doc": "up to and with its timestamp or end packet",
    }


def test_json_tells_exact_decimals() -> None:
    columns = {c["name"]: c["type"] for c in describe(TABLES["results"])["columns"]}
    assert columns["pinned_byte_ns"] == "decimal128(38, 0)"


@pytest.mark.parametrize("name", TABLES)
def test_arrow_text_is_that_of_an_empty_table(name: str) -> None:
    text = render_schema(TABLES[name], "arrow")
    bare = pa.schema([f.remove_metadata() for f in TABLES[name].schema])
    assert text.rstrip() == str(bare).rstrip()


@pytest.mark.parametrize("name", TABLES)
def test_sql_declares_each_column(name: str) -> None:
    lines = render_schema(TABLES[name], "sql").splitlines()
    assert lines[1] == f'CREATE TABLE "{name}" ('
    assert lines[-1] == ");"
    assert len(lines) - 3 == len(TABLES[name].columns)
    for i, (line, column) in enumerate(zip(lines[2:-1], TABLES[name].columns, strict=True)):
        declaration = line.split(" -- ")[0]
        assert declaration.startswith(f'  "{column.name}" ')
        assert declaration.endswith(",") == (i < len(TABLES[name].columns) - 1)
        assert ("NOT NULL" in declaration) != column.nullable


@pytest.mark.parametrize("name", TABLES)
def test_sql_runs_in_duckdb_and_takes_the_table(name: str, tmp_path: Path) -> None:
    """DuckDB makes the table, of the types that it reads an empty Parquet file of it with."""
    path = tmp_path / "table.parquet"
    write_table(TABLES[name].empty(), path)
    with duckdb.connect() as connection:
        connection.execute(render_schema(TABLES[name], "sql"))
        made = connection.execute(f'DESCRIBE "{name}"').fetchall()
        read = connection.execute(f"DESCRIBE FROM '{path}'").fetchall()
        assert [row[:2] for row in made] == [row[:2] for row in read]
        nullable = [row[2] == "YES" for row in made]
        assert nullable == [column.nullable for column in TABLES[name].columns]
        connection.execute(f"INSERT INTO \"{name}\" FROM '{path}'")


@pytest.mark.parametrize("format_", ["arrow", "json", "sql"])
@pytest.mark.parametrize("name", TABLES)
def test_every_format_names_every_column(name: str, format_: str) -> None:
    text = render_schema(TABLES[name], format_)
    assert all(column.name in text for column in TABLES[name].columns)


def test_sql_types_are_duckdbs() -> None:
    text = render_schema(TABLES["spe_records"], "sql")
    assert '  "pc" UBIGINT, -- address packet 0' in text
    assert '  "other_counters" STRUCT("index" UTINYINT, "value" USMALLINT)[], ' in text
    assert '  "pinned_byte_ns" DECIMAL(38, 0) NOT NULL' in render_schema(TABLES["results"], "sql")


def test_write_schemas_replaces_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "gone.json").write_text("{}")
    write_schemas(tmp_path / "deep")
    write_schemas(tmp_path)
    assert {path.stem for path in tmp_path.glob("*.json")} == set(TABLES)
    assert {path.stem for path in (tmp_path / "deep").iterdir()} == set(TABLES)
