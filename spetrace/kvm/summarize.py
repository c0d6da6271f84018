"""A session's KVM tables, summed up VM by VM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from spetrace.kvm.exits import Exits
from spetrace.kvm.faults import FaultClasses, FaultTimes
from spetrace.kvm.memory import StateSeries
from spetrace.kvm.refaults import RefaultTally
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
    """All VMs that `tables` tell of; `session` and `quality` are what it rests on.

    Tables are gone through in batches where `tables` can give such.
    """
    tally = _Tally(tables)
    span = tally.span_ns
    if span:
        tally.add_fault_times(span)
    return KvmSummary(
        session=dict(session),
        quality=quality,
        vms=tuple(tally.summary(vm, span or (0, 0)) for vm in tally.vms),
        span_ns=span,
    )


class _Tally:
    """What is gathered of the tables, by VM."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = tables
        self._bounds: list[int] = []
        self._classes: dict[int | None, FaultClasses] = defaultdict(FaultClasses)
        self._states: dict[int | None, StateSeries] = defaultdict(StateSeries)
        self._refaults: dict[int | None, RefaultTally] = defaultdict(RefaultTally)
        self._fault_times: dict[int | None, FaultTimes] = {}
        self._exits = self._all_exits()
        for vm, faults in self._by_vm(STAGE2_FAULTS):
            self._classes[vm].add(faults)
            self._see(faults)
        for vm, state in self._by_vm(VM_STATE):
            self._states[vm].add(state)
            self._see(state)
        for vm, refaults in self._by_vm(REFAULTS):
            self._refaults[vm].add(refaults)
        self._registers = dict(_joined(self._by_vm(SPE_REGISTER_ACCESSES)))

    @property
    def vms(self) -> list[int]:
        """All VMs that any table names."""
        tallies = (self._classes, self._states, self._refaults, self._registers)
        found = self._exits.vms.union(*tallies)
        return sorted(vm for vm in found if vm is not None)

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """The first and the last time of all exits, entries, faults and changes."""
        bounds = self._bounds + self._exits.bounds_ns
        return (min(bounds), max(bounds)) if bounds else None

    def add_fault_times(self, span: tuple[int, int]) -> None:
        """Go over the faults once more, for when they came."""
        for vm, faults in self._by_vm(STAGE2_FAULTS) if self._classes else ():
            self._fault_times.setdefault(vm, FaultTimes(span)).add(faults)

    def summary(self, vm: int, span: tuple[int, int]) -> VmSummary:
        """One VM's."""
        classes, times = self._classes.get(vm), self._fault_times.get(vm)
        state, registers = self._states.get(vm), self._registers.get(vm)
        return VmSummary(
            vm=vm,
            exits=self._exits.classes(vm),
            vcpus=self._exits.vcpu_times(vm),
            faults=classes.classes() if classes else (),
            fault_rate=times.rate() if times else None,
            refaults=self._refaults[vm].summary() if state else None,
            state=state.summary(span[1]) if state else None,
            registers=_uses(registers) if registers is not None else (),
        )

    def _all_exits(self) -> Exits:
        exits = Exits()
        for frame in self._frames(KVM_EXITS):
            exits.add(frame)
        exits.sort_out(self._frames(KVM_EXITS))
        return exits

    def _see(self, rows: pl.DataFrame) -> None:
        times = rows["time_ns"].drop_nulls()
        if len(times):
            bounds = [*self._bounds, times.min(), times.max()]
            self._bounds = [min(bounds), max(bounds)]  # type: ignore[type-var,list-item]

    def _by_vm(self, table: Table) -> Iterator[tuple[int | None, pl.DataFrame]]:
        for frame in self._frames(table):
            for (vm,), own in frame.partition_by("vm", as_dict=True).items():
                yield vm, own

    def _frames(self, table: Table) -> Iterator[pl.DataFrame]:
        if table.name in self._tables:
            for batch in batches_of(self._tables, table.name):
                if batch.num_rows:
                    yield pl.DataFrame(pl.from_arrow(batch))


def _joined(
    parts: Iterator[tuple[int | None, pl.DataFrame]],
) -> Iterator[tuple[int | None, pl.DataFrame]]:
    by_vm: dict[int | None, list[pl.DataFrame]] = {}
    for vm, part in parts:
        by_vm.setdefault(vm, []).append(part)
    yield from ((vm, pl.concat(own)) for vm, own in by_vm.items())


def _uses(accesses: pl.DataFrame) -> tuple[RegisterUse, ...]:
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
