"""Exits of one VM by class, and where its vCPUs' time went."""

from __future__ import annotations

import polars as pl

from spetrace.arm.esr import KVM_EXIT_TRAP
from spetrace.kvm.times import times_in, times_of
from spetrace.tables.kvm_summary import ExitClass, VcpuTime

_RETS = {0: "IRQ", 1: "EL1_SERROR", 3: "IL", 0xBADCA11: "HYP_GONE"}
"""trace_kvm_exit's ret but for traps (kvm_arm_exception_type, kvm_asm.h; IL has no name there)."""
UNKNOWN = "unknown"


def exit_classes(exits: pl.DataFrame) -> tuple[ExitClass, ...]:
    """Of table kvm_exits, the most frequent class first."""
    ret = pl.col("ret")
    other = ret.replace_strict(_RETS, default=None, return_dtype=pl.String)
    name = (
        pl.when(ret == KVM_EXIT_TRAP)
        .then(pl.col("exit_class_name").cast(pl.String))
        .otherwise(other)
        .fill_null(UNKNOWN)
    )
    classes = exits.group_by(name.alias("name")).agg(
        pl.len().alias("exits"), *times_of("handled_ns")
    )
    rows = classes.sort(["exits", "name"], descending=[True, False]).iter_rows(named=True)
    return tuple(ExitClass(row["name"], row["exits"], times_in(row)) for row in rows)


def vcpu_times(exits: pl.DataFrame) -> tuple[VcpuTime, ...]:
    """Of table kvm_exits, vCPU by vCPU."""
    ordered = exits.sort("vcpu", "exit_ns", maintain_order=True)
    following = pl.col("exit_ns").shift(-1).over("vcpu")
    until = following - pl.col("exit_ns")
    is_lost = pl.col("entry_ns").is_null() & following.is_not_null()
    spent = ordered.with_columns(
        guest=following - pl.col("entry_ns"), unpaired=is_lost, unknown=pl.when(is_lost).then(until)
    )
    rows = (
        spent.group_by("vcpu")
        .agg(
            pl.len(),
            pl.col("unpaired").sum(),
            pl.col("guest").sum(),
            pl.col("handled_ns").sum(),
            pl.col("unknown").sum(),
        )
        .sort("vcpu", nulls_last=True)
    )
    return tuple(VcpuTime(*row) for row in rows.iter_rows())
