"""Exits by class, and where the vCPUs' time went."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from spetrace.arm.esr import KVM_EXIT_NAMES, KVM_EXIT_TRAP
from spetrace.kvm.durations import Durations
from spetrace.kvm.vcpu_clock import VcpuClock, VcpuExits
from spetrace.tables.kvm_summary import ExitClass, VcpuTime

UNKNOWN = "unknown"
_RET: Final = pl.col("ret")
_OTHER: Final = _RET.replace_strict(KVM_EXIT_NAMES, default=None, return_dtype=pl.String)
_NAME: Final = (
    pl.when(_RET == KVM_EXIT_TRAP)
    .then(pl.col("exit_class_name").cast(pl.String))
    .otherwise(_OTHER)
    .fill_null(UNKNOWN)
)
_Vcpu = tuple[int | None, int | None]


class Exits:
    """The exits of table kvm_exits, gathered a batch at a time: nothing of a single one is held."""

    def __init__(self) -> None:
        self._classes: dict[tuple[int | None, str], Durations] = {}
        self._counts: dict[tuple[int | None, str], int] = {}
        self._vcpus: dict[_Vcpu, VcpuClock] = {}
        self.bounds_ns: list[int] = []
        """The earliest and the latest time of all exits and entries; empty without any."""

    def add(self, exits: pl.DataFrame) -> None:
        """Take the next rows of the table."""
        if not len(exits):
            return
        named = exits.select("vm", "handled_ns", _NAME.alias("name"))
        for key, own in named.partition_by("vm", "name", as_dict=True).items():
            self._classes.setdefault(key, Durations()).add(own["handled_ns"])
            self._counts[key] = self._counts.get(key, 0) + len(own)
        for vcpu, own in exits.partition_by("vm", "vcpu", as_dict=True).items():
            self._vcpus.setdefault(vcpu, VcpuClock()).add(VcpuExits.of(own))
        times = [exits[name].drop_nulls().to_numpy() for name in ("exit_ns", "entry_ns")]
        bounds = [int(bound) for t in times if len(t) for bound in (t.min(), t.max())]
        bounds += self.bounds_ns
        self.bounds_ns = [min(bounds), max(bounds)]

    def sort_out(self, batches: Iterable[pl.DataFrame]) -> None:
        """Go over the table's rows once more for the vCPUs whose exits are not in order of time."""
        late = {vcpu: clock for vcpu, clock in self._vcpus.items() if not clock.is_in_order}
        found: dict[_Vcpu, list[VcpuExits]] = {vcpu: [] for vcpu in late}
        for exits in batches if late else ():
            for vcpu, own in exits.partition_by("vm", "vcpu", as_dict=True).items():
                if vcpu in found:
                    found[vcpu].append(VcpuExits.of(own))
        for vcpu, parts in found.items():
            every = VcpuExits(*map(np.concatenate, zip(*parts, strict=True)))
            self._vcpus[vcpu] = VcpuClock()
            self._vcpus[vcpu].add(every.by_time())

    @property
    def vms(self) -> set[int | None]:
        """The VMs of all exits."""
        return {vm for vm, _vcpu in self._vcpus}

    def classes(self, vm: int) -> tuple[ExitClass, ...]:
        """One VM's, the most frequent class first."""
        own = [(key, lengths) for key, lengths in self._classes.items() if key[0] == vm]
        found = [ExitClass(key[1], self._counts[key], lengths.times()) for key, lengths in own]
        return tuple(sorted(found, key=lambda c: (-c.exits, c.name)))

    def vcpu_times(self, vm: int) -> tuple[VcpuTime, ...]:
        """One VM's, vCPU by vCPU; last of exits whose vCPU is not known."""
        own = {vcpu: clock for (n, vcpu), clock in self._vcpus.items() if n == vm}
        order = sorted(own, key=lambda vcpu: (vcpu is None, vcpu))
        return tuple(own[vcpu].time(vcpu) for vcpu in order)
