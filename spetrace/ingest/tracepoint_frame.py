"""The frame of one tracepoint: what every event has, then the tracepoint's own fields."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from spetrace.ingest.event_fields import Decoded
from spetrace.ingest.event_format import EventField, EventFormat
from spetrace.ingest.field_type import FieldKind
from spetrace.quality import Quality


def table_name(format_: EventFormat, taken: set[str]) -> str:
    """What a tracepoint's table is called; takes the name.

    Where two systems have events of one name, those after the first are called `system:name`.
    """
    name = format_.name if format_.name not in taken else f"{format_.system}:{format_.name}"
    return _free_name(name, taken)


def build_frame(
    common: Sequence[pl.Series], format_: EventFormat, own: Sequence[Decoded], quality: Quality
) -> pl.DataFrame:
    """The columns `common`, then the decoded fields of `format_` under names that are free.

    Fields that their records do not hold are counted.
    """
    columns = list(common)
    taken = {column.name for column in columns}
    for field, (values, damaged) in zip(format_.fields, own, strict=True):
        quality.add("trace_damaged_fields", damaged, f"{format_.name}.{field.name}")
        columns.append(values.alias(_free_name(field.name, taken)))
    return pl.DataFrame(columns)


def pid_field(format_: EventFormat) -> EventField | None:
    """The common field that names the thread; None where the format has none that can be it."""
    field = format_.common_field("common_pid")
    usable = field is not None and field.type.kind is FieldKind.INTEGER and field.size == 4
    return field if usable else None


def absent(name: str, rows: int) -> pl.Series:
    """A column of numbers that nothing tells."""
    return pl.Series(name, [None], pl.Int32).new_from_index(0, rows)


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, with `_f` behind it where it is taken already; takes it."""
    while name in taken:
        name += "_f"
    taken.add(name)
    return name
