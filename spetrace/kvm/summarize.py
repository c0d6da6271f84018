"""A session's KVM tables, summed up VM by VM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace.kvm.exits import Exits
from spetrace.kvm.faults import fault_classes, fault_rate
from spetrace.kvm.memory import refault_summary, state_summary
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.kvm_summary import KvmSummary, RegisterUse, VmSummary
from spetrace.tables.session import batches_of
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.tables.table import Table

KVM_TABLES = (KVM_EXITS, STAGE2_FAULTS, SPE_REGISTER_ACCESSES, VM_STATE, REFAULTS)
"""What a summary is made of; any of them may be missing."""


def summarize_kvm(
    tables: Mapping[str, pa.Table], session: Mapping[str, Any], quality: pa.Table
) -> KvmSummary:
    """All VMs that `tables` tell of; `session` and `quality` are what it rests on."""
    exits = Exits()
    for batch in _batches(KVM_EXITS, tables):
        exits.add(pl.DataFrame(pl.from_arrow(batch)))
    frames = {table.name: _frame(table, tables) for table in KVM_TABLES if table is not KVM_EXITS}
    numbers = {n for frame in frames.values() for n in frame["vm"].unique().to_list()}
    span = _span(exits, frames)
    vms = sorted(vm for vm in numbers | exits.vms if vm is not None)
    return KvmSummary(
        session=dict(session),
        quality=quality,
        vms=tuple(_of_vm(vm, exits, frames, span or (0, 0)) for vm in vms),
        span_ns=span,
    )


def _batches(table: Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
    return batches_of(tables, table.name) if table.name in tables else iter(())


def _frame(table: Table, tables: Mapping[str, pa.Table]) -> pl.DataFrame:
    rows = pa.Table.from_batches(_batches(table, tables), table.schema)
    return pl.DataFrame(pl.from_arrow(rows))


def _span(exits: Exits, frames: Mapping[str, pl.DataFrame]) -> tuple[int, int] | None:
    times = [frames[table.name]["time_ns"].drop_nulls() for table in (STAGE2_FAULTS, VM_STATE)]
    bounds = [bound for t in times if len(t) for bound in (t.min(), t.max())] + exits.bounds_ns
    return (min(bounds), max(bounds)) if bounds else None  # type: ignore[type-var,return-value]


def _of_vm(
    vm: int, exits: Exits, frames: Mapping[str, pl.DataFrame], span: tuple[int, int]
) -> VmSummary:
    own = {name: frame.filter(pl.col("vm") == vm) for name, frame in frames.items()}
    faults, registers, state, refaults = (own[table.name] for table in KVM_TABLES[1:])
    return VmSummary(
        vm=vm,
        exits=exits.classes(vm),
        vcpus=exits.vcpu_times(vm),
        faults=fault_classes(faults),
        fault_rate=fault_rate(faults, span) if len(faults) else None,
        refaults=refault_summary(refaults) if len(state) else None,
        state=state_summary(state, span[1]) if len(state) else None,
        registers=_registers(registers),
    )


def _registers(accesses: pl.DataFrame) -> tuple[RegisterUse, ...]:
    uses = (
        accesses.with_columns(pl.col("reg").cast(pl.String))
        .group_by("vcpu", "reg")
        .agg(
            (~pl.col("is_write")).sum(),
            pl.col("is_write").sum().alias("writes"),
            pl.col("time_ns").min().alias("first"),
            pl.col("time_ns").max().alias("last"),
        )
        .sort("vcpu", "first", "reg")
    )
    return tuple(RegisterUse(*row) for row in uses.iter_rows())
