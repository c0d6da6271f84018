"""A session's KVM tables, summed up VM by VM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace.kvm.exits import exit_classes, vcpu_times
from spetrace.kvm.faults import fault_classes, fault_rate
from spetrace.kvm.memory import refault_summary, state_summary
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.kvm_summary import KvmSummary, RegisterUse, VmSummary
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS

KVM_TABLES = (KVM_EXITS, STAGE2_FAULTS, SPE_REGISTER_ACCESSES, VM_STATE, REFAULTS)
"""What a summary is made of; any of them may be missing."""


def summarize_kvm(
    tables: Mapping[str, pa.Table], session: Mapping[str, Any], quality: pa.Table
) -> KvmSummary:
    """All VMs that `tables` tell of; `session` and `quality` are what it rests on."""
    frames = {
        table.name: pl.DataFrame(pl.from_arrow(tables.get(table.name, table.empty())))
        for table in KVM_TABLES
    }
    numbers = {n for frame in frames.values() for n in frame["vm"].unique().to_list()} - {None}
    span = _span(frames)
    return KvmSummary(
        session=dict(session),
        quality=quality,
        vms=tuple(_of_vm(vm, frames, span or (0, 0)) for vm in sorted(numbers)),
        span_ns=span,
    )


def _span(frames: Mapping[str, pl.DataFrame]) -> tuple[int, int] | None:
    columns = (
        (KVM_EXITS, "exit_ns"), (KVM_EXITS, "entry_ns"), (STAGE2_FAULTS, "time_ns"),
        (VM_STATE, "time_ns"),
    )  # fmt: skip
    times = [frames[table.name][column].drop_nulls() for table, column in columns]
    bounds = [bound for t in times if len(t) for bound in (t.min(), t.max())]
    return (min(bounds), max(bounds)) if bounds else None  # type: ignore[type-var,return-value]


def _of_vm(vm: int, frames: Mapping[str, pl.DataFrame], span: tuple[int, int]) -> VmSummary:
    own = {name: frame.filter(pl.col("vm") == vm) for name, frame in frames.items()}
    exits, faults, registers, state, refaults = (own[table.name] for table in KVM_TABLES)
    return VmSummary(
        vm=vm,
        exits=exit_classes(exits),
        vcpus=vcpu_times(exits),
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
