"""Data source and memory access as polars expressions over table spe_records; null gives null."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from spetrace.arm.data_source import TABLES, data_source_table
from spetrace.arm.event_expressions import CPU, EVENTS, has_event, remote_access
from spetrace.arm.events import Event
from spetrace.arm.memory import LOAD_RULES, STORE_RULES, EventRule
from spetrace.arm.operation_expressions import CLASS, PAYLOAD, is_load, is_store
from spetrace.arm.per_cpu import Midrs, by_cpu

DATA_SOURCE = pl.col("data_source")


@dataclass(frozen=True)
class RecordColumns:
    """The columns that tell a memory access: those of table spe_records unless others are named."""

    operation_class: pl.Expr = CLASS
    operation_payload: pl.Expr = PAYLOAD
    events: pl.Expr = EVENTS
    data_source: pl.Expr = DATA_SOURCE
    cpu: pl.Expr = CPU


SPE_RECORDS_COLUMNS = RecordColumns()


def data_source_named(
    midrs: Midrs, data_source: pl.Expr = DATA_SOURCE, cpu: pl.Expr = CPU
) -> pl.Expr:
    """The name of each row's data source, `spetrace.arm.data_source_name`."""
    return by_cpu(
        midrs, cpu, data_source_table, lambda t: _of_source(t, "name", pl.String(), data_source)
    )


def memory_level(midrs: Midrs, columns: RecordColumns = SPE_RECORDS_COLUMNS) -> pl.Expr:
    """Level of each load or store, `spetrace.arm.MemoryAccess.level`."""
    return _by_rules_or_source("level", pl.String(), midrs, columns)


def memory_hit(midrs: Midrs, columns: RecordColumns = SPE_RECORDS_COLUMNS) -> pl.Expr:
    """Whether each load or store hit at its level, `spetrace.arm.MemoryAccess.hit`."""
    return _by_rules_or_source("hit", pl.Boolean(), midrs, columns)


def memory_snoop(midrs: Midrs, columns: RecordColumns = SPE_RECORDS_COLUMNS) -> pl.Expr:
    """What other caches answered to each load or store, `spetrace.arm.MemoryAccess.snoop`."""

    def make(table: str | None) -> pl.Expr:
        """The snoop's answer by a kind of CPU's data sources."""
        told = _snoop(columns.events)
        source = _of_source(table, "snoop", pl.String(), columns.data_source)
        return _access(columns, table, pl.coalesce(source, told), told, None if table else told)

    return by_cpu(midrs, columns.cpu, data_source_table, make)


def memory_peer(midrs: Midrs, columns: RecordColumns = SPE_RECORDS_COLUMNS) -> pl.Expr:
    """Whether another core's cache answered each load, `spetrace.arm.MemoryAccess.peer`."""

    def make(table: str | None) -> pl.Expr:
        """The peer by a kind of CPU's data sources."""
        source = _of_source(table, "peer", pl.Boolean(), columns.data_source)
        return _access(columns, table, source, None, None)

    return by_cpu(midrs, columns.cpu, data_source_table, make)


def memory_remote(midrs: Midrs, columns: RecordColumns = SPE_RECORDS_COLUMNS) -> pl.Expr:
    """Whether another socket answered each load or store, `spetrace.arm.MemoryAccess.remote`."""

    def make(table: str | None) -> pl.Expr:
        """Remote or not by a kind of CPU's data sources."""
        told = remote_access(columns.events)
        source = _of_source(table, "remote", pl.Boolean(), columns.data_source)
        return _access(columns, table, source | told.fill_null(False), told, told)

    return by_cpu(midrs, columns.cpu, data_source_table, make)


def _by_rules_or_source(
    field: str, type_: pl.DataType, midrs: Midrs, columns: RecordColumns
) -> pl.Expr:
    """`field` of a MemoryAccess: by the data source where the CPU's are known, else by events."""

    def make(table: str | None) -> pl.Expr:
        """The same by a kind of CPU's data sources."""
        load, store = (
            _by_rules(rules, [getattr(rule, field) for rule in rules], columns.events)
            for rules in (LOAD_RULES, STORE_RULES)
        )
        source = _of_source(table, field, type_, columns.data_source)
        return _access(columns, table, source, load, None if table else store)

    return by_cpu(midrs, columns.cpu, data_source_table, make)


def _access(
    columns: RecordColumns,
    table: str | None,
    source: pl.Expr,
    load: pl.Expr | None,
    store: pl.Expr | None,
) -> pl.Expr:
    """`source` for loads whose data source is in the CPU's table, else what `load`, `store` say."""
    operation = columns.operation_class, columns.operation_payload
    known = columns.data_source.is_in(list(TABLES[table]) if table else [])
    return (
        pl.when(is_load(*operation) & known)
        .then(source)
        .when(is_load(*operation))
        .then(load)
        .when(is_store(*operation))
        .then(store)
    )


def _of_source(table: str | None, field: str, dtype: pl.DataType, data_source: pl.Expr) -> pl.Expr:
    """A field of the data source's meaning; null for a value that the table doesn't have."""
    sources = TABLES[table] if table else {}
    values = [getattr(source, field) for source in sources.values()]
    return data_source.replace_strict(
        pl.Series(list(sources), dtype=pl.UInt16),
        pl.Series(values, dtype=dtype),
        default=None,
        return_dtype=dtype,
    )


def _by_rules(
    rules: tuple[EventRule, ...], values: list[str] | list[bool], events: pl.Expr
) -> pl.Expr:
    """The value of the first rule that holds for the events; null where none does."""
    chosen = pl.lit(None)
    for rule, value in reversed(list(zip(rules, values, strict=True))):
        seen = events & pl.lit(rule.required | rule.excluded, pl.UInt64)
        holds = seen == pl.lit(rule.required, pl.UInt64)
        chosen = pl.when(holds).then(pl.lit(value)).otherwise(chosen)
    return chosen


def _snoop(events: pl.Expr) -> pl.Expr:
    modified = pl.when(has_event(Event.HITM, events)).then(pl.lit("HITM")).otherwise(pl.lit("HIT"))
    return pl.when(has_event(Event.SNOOPED, events)).then(modified)
