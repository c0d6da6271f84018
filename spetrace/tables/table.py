"""What a table is: columns with Arrow types, units, nullability and docs, and a version.

Code, `schemas/`, validation and file metadata derive from these declarations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace import __version__
from spetrace.errors import InputError


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, what it holds, its unit, and whether it can be absent (null)."""

    name: str
    type: pa.DataType
    doc: str
    unit: str | None = None
    nullable: bool = True

    def field(self) -> pa.Field:
        """The Arrow field, with doc and unit in its metadata."""
        metadata = {"doc": self.doc} | ({"unit": self.unit} if self.unit else {})
        return pa.field(self.name, self.type, nullable=self.nullable, metadata=metadata)


@dataclass(frozen=True)
class Table:
    """A declared table; `version` is "major.minor" (additive changes raise the minor)."""

    name: str
    version: str
    doc: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in their order."""
        return [c.name for c in self.columns]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema; its metadata tell the table's name, version and producer, and units.

        `spetrace.units` is a JSON object of the columns that have one, for readers of Parquet that
        do not see the metadata of Arrow's fields.
        """
        metadata = {
            "spetrace.table": self.name,
            "spetrace.version": self.version,
            "spetrace.producer": f"spetrace {__version__}",
            "spetrace.units": json.dumps({c.name: c.unit for c in self.columns if c.unit}),
        }
        return pa.schema([c.field() for c in self.columns], metadata=metadata)

    def select(self, names: Iterable[str]) -> Table:
        """The same table with only the columns `names`, in the table's order."""
        wanted = set(names)
        return Table(
            self.name, self.version, self.doc, tuple(c for c in self.columns if c.name in wanted)
        )

    def empty(self) -> pa.Table:
        """A table of no rows."""
        return self.schema.empty_table()

    def from_columns(self, columns: dict[str, Any], rows: int | None = None) -> pa.Table:
        """A table from arrays, sequences or polars Series by name; a column not given is null.

        Raises InputError when a value does not fit its column's type.
        """
        if rows is None:
            rows = len(next(iter(columns.values()))) if columns else 0
        arrays = [self._array(c, columns.get(c.name), rows) for c in self.columns]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def from_polars(self, frame: pl.DataFrame) -> pa.Table:
        """`frame` as this table: columns by name, cast to the declared types, others dropped."""
        return self.from_columns(
            {n: frame[n] for n in frame.columns if n in self.names}, len(frame)
        )

    def from_rows(self, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
        """A table from row tuples in column order."""
        columns = {name: [row[i] for row in rows] for i, name in enumerate(self.names)}
        return self.from_columns(columns, len(rows))

    def _array(self, column: Column, values: Any, rows: int) -> pa.Array | pa.ChunkedArray:
        try:
            return _to_arrow(values, column.type, rows)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError) as error:
            raise InputError(f"table {self.name}, column {column.name}", str(error)) from error


def _to_arrow(values: Any, type_: pa.DataType, rows: int) -> pa.Array | pa.ChunkedArray:
    if values is None:
        return pa.nulls(rows, type_)
    if isinstance(values, pl.Series):
        values = values.to_arrow()
    if not isinstance(values, (pa.Array, pa.ChunkedArray)):
        values = pa.array(values, None if pa.types.is_dictionary(type_) else type_)
    if values.type == type_:
        return values
    if pa.types.is_dictionary(type_) and not pa.types.is_dictionary(values.type):
        values = values.cast(type_.value_type).dictionary_encode()
    return values.cast(type_)


NAME = pa.dictionary(pa.int32(), pa.string())
"""The Arrow type of names from a small set."""

SOURCE = Column(
    "source", pa.uint16(), "input file: index into session.json's inputs", nullable=False
)
