"""The published form of the tables: a JSON document each, Arrow's schema text, and SQL.

`python -m spetrace.tables.published schemas` writes the JSON documents into a folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from spetrace.tables.catalog import TABLES
from spetrace.tables.table import Column, Table

_SQL_TYPES = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
}
"""Arrow type to DuckDB's."""


def render_schema(table: Table, format_: str) -> str:
    """The schema of `table` as "json" (its published document), "arrow" (Arrow's schema text) or
    "sql" (CREATE TABLE as DuckDB takes it).
    """
    return {"json": _render_json, "arrow": _render_arrow, "sql": _render_sql}[format_](table)


def describe(table: Table) -> dict[str, Any]:
    """The published document of `table`."""
    return {
        "table": table.name,
        "version": table.version,
        "doc": table.doc,
        "columns": [_describe_column(column) for column in table.columns],
    }


def write_schemas(folder: Path) -> None:
    """Write the document of every table into `folder`, and remove those of tables that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        (folder / f"{name}.json").write_text(_render_json(table), encoding="utf-8")
    for stale in {p.stem for p in folder.glob("*.json")} - set(TABLES):
        (folder / f"{stale}.json").unlink()


def _describe_column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": type_name(column.type),
        "nullable": column.nullable,
        "unit": column.unit,
        "doc": column.doc,
    }


def type_name(type_: pa.DataType) -> str:
    """The Arrow type as published: independent of how a pyarrow version prints it."""
    if pa.types.is_dictionary(type_):
        return f"dictionary<{type_name(type_.index_type)}, {type_name(type_.value_type)}>"
    if pa.types.is_list(type_):
        return f"list<{type_name(type_.value_type)}>"
    if pa.types.is_struct(type_):
        return f"struct<{', '.join(f'{f.name}: {type_name(f.type)}' for f in type_)}>"
    if pa.types.is_decimal(type_):
        return f"decimal128({type_.precision}, {type_.scale})"
    return str(type_)


def _render_json(table: Table) -> str:
    return json.dumps(describe(table), indent=2, ensure_ascii=False) + "\n"


def _render_arrow(table: Table) -> str:
    text = str(table.schema.to_string(show_field_metadata=False, show_schema_metadata=False))
    return f"{text.rstrip()}\n"


def _render_sql(table: Table) -> str:
    last = len(table.columns) - 1
    lines = [
        f"  {_sql_column(column)}{',' if i < last else ''} -- {_comment(column)}"
        for i, column in enumerate(table.columns)
    ]
    head = f"-- {table.doc} Version {table.version}."
    return "\n".join([head, f'CREATE TABLE "{table.name}" (', *lines, ");"]) + "\n"


def _sql_column(column: Column) -> str:
    return f'"{column.name}" {_sql_type(column.type)}{"" if column.nullable else " NOT NULL"}'


def _sql_type(type_: pa.DataType) -> str:
    if pa.types.is_dictionary(type_):
        return _sql_type(type_.value_type)
    if pa.types.is_list(type_):
        return f"{_sql_type(type_.value_type)}[]"
    if pa.types.is_struct(type_):
        fields = ", ".join(f'"{f.name}" {_sql_type(f.type)}' for f in type_)
        return f"STRUCT({fields})"
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    return _SQL_TYPES[type_]


def _comment(column: Column) -> str:
    return f"{column.doc} [{column.unit}]" if column.unit else column.doc


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
