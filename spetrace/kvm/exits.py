"""Exits by class, and where the vCPUs' time went."""

from __future__ import annotations

from typing import Final

import polars as pl

from spetrace.arm.esr import KVM_EXIT_NAMES, KVM_EXIT_TRAP
from spetrace.kvm.times import times_in, times_of
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
_SPAN: Final = ("exit_ns", "entry_ns")


class Exits:
    """The exits of table kvm_exits, gathered a batch at a time: of each no more than its times.

    There are as many as a recording is long.
    """

    def __init__(self) -> None:
        self._classes: dict[tuple[int | None, str], list[pl.DataFrame]] = {}
        self._vcpus: dict[tuple[int | None, int | None], list[pl.DataFrame]] = {}
        self._bounds: list[int] = []

    def add(self, exits: pl.DataFrame) -> None:
        """Take the next rows of the table."""
        if not len(exits):
            return
        named = exits.select("vm", "handled_ns", _NAME.alias("name"))
        for (vm, name), own in named.partition_by("vm", "name", as_dict=True).items():
            self._classes.setdefault((vm, name), []).append(own.select("handled_ns"))
        for (vm, vcpu), own in exits.partition_by("vm", "vcpu", as_dict=True).items():
            self._vcpus.setdefault((vm, vcpu), []).append(own.select(_SPAN))
        times = exits.select(
            pl.min_horizontal(pl.col(_SPAN).min()), pl.max_horizontal(pl.col(_SPAN).max()).alias("")
        )
        self._bounds += times.row(0)
        self._bounds = [min(self._bounds), max(self._bounds)]

    @property
    def vms(self) -> set[int | None]:
        """The VMs of all exits."""
        return {vm for vm, _vcpu in self._vcpus}

    @property
    def bounds_ns(self) -> list[int]:
        """The earliest and the latest time of all exits and entries; empty without any."""
        return self._bounds

    def classes(self, vm: int) -> tuple[ExitClass, ...]:
        """One VM's, the most frequent class first."""
        found = [_class(name, parts) for (n, name), parts in self._classes.items() if n == vm]
        return tuple(sorted(found, key=lambda c: (-c.exits, c.name)))

    def vcpu_times(self, vm: int) -> tuple[VcpuTime, ...]:
        """One VM's, vCPU by vCPU; last of exits whose vCPU is not known."""
        own = {vcpu: parts for (n, vcpu), parts in self._vcpus.items() if n == vm}
        order = sorted(own, key=lambda vcpu: (vcpu is None, vcpu))
        return tuple(_vcpu_time(vcpu, own[vcpu]) for vcpu in order)


def _class(name: str, parts: list[pl.DataFrame]) -> ExitClass:
    exits = pl.concat(parts)
    times = exits.drop_nulls().sort("handled_ns").select(times_of("handled_ns"))
    return ExitClass(name, len(exits), times_in(times.row(0, named=True)))


def _vcpu_time(vcpu: int | None, parts: list[pl.DataFrame]) -> VcpuTime:
    exits = pl.concat(parts)
    if not exits["exit_ns"].is_sorted():
        exits = exits.sort("exit_ns", maintain_order=True)
    following = pl.col("exit_ns").shift(-1)
    is_lost = pl.col("entry_ns").is_null() & following.is_not_null()
    sums = exits.select(
        pl.len(),
        is_lost.sum().alias("unpaired"),
        (following - pl.col("entry_ns")).sum().alias("guest"),
        (pl.col("entry_ns") - pl.col("exit_ns")).sum().alias("handled"),
        (following - pl.col("exit_ns")).filter(is_lost).sum().alias("unknown"),
    )
    return VcpuTime(vcpu, *sums.row(0))
