"""VMs and vCPUs: which host threads run a guest, and which guest."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.session.host_trace import HostTrace
from spetrace.session.recorded_guests import recorded_guests

MACHINES_MAX: Final = 1 << 16
_NUMBER = re.compile(r"[0-9]+")
_NO_NAME = re.compile(r"|<\.\.\.>|:-?[0-9]+")
"""What ftrace and perf show for a thread whose name they do not know."""


@dataclass(frozen=True)
class Vcpu:
    """One vCPU: its number and its host thread (None where only SPE data tells of it)."""

    vcpu: int
    tid: int | None = None
    comm: str | None = None


@dataclass
class Vm:
    """One VM: its number, its VMM's process where known, and its vCPUs in order of their number."""

    vm: int
    pid: int | None = None
    vcpus: list[Vcpu] = field(default_factory=list)


class Machines:
    """All VMs of the session, and the lookup from host threads to vCPUs."""

    def __init__(self, vms: list[Vm], grouped_by: str | None = None) -> None:
        self.vms = vms
        self.grouped_by = grouped_by
        """How VMs were told apart where the files name no process: "names" or "nothing"."""
        threads = sorted(
            (c.tid, vm.vm, c.vcpu) for vm in vms for c in vm.vcpus if c.tid is not None
        )
        self._tids = np.array([t[0] for t in threads], np.int64)
        self._vm = np.array([t[1] for t in threads] + [-1], np.int32)
        self._vcpu = np.array([t[2] for t in threads] + [-1], np.int32)

    @property
    def have_threads(self) -> bool:
        """Whether any vCPU's host thread is known."""
        return len(self._tids) > 0

    def vm_of(self, tids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """The VM whose vCPU each thread is; -1 for other threads."""
        return self._vm[self._place(tids)]

    def vcpu_of(self, tids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """The vCPU that each thread is; -1 for other threads."""
        return self._vcpu[self._place(tids)]

    def owners_of(
        self, tids: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """The VM and the vCPU of each thread, as above."""
        place = self._place(tids)
        return self._vm[place], self._vcpu[place]

    def ensure(self, vm: int, vcpu: int) -> None:
        """Add the VM and the vCPU where there are none."""
        if not (0 <= vm < MACHINES_MAX and 0 <= vcpu < MACHINES_MAX):
            raise InputError("machines", f"VM {vm}, vCPU {vcpu}: numbers go from 0 to 65535")
        known = next((v for v in self.vms if v.vm == vm), None)
        if known is None:
            known = Vm(vm)
            self.vms = sorted([*self.vms, known], key=lambda v: v.vm)
        if all(c.vcpu != vcpu for c in known.vcpus):
            known.vcpus = sorted([*known.vcpus, Vcpu(vcpu)], key=lambda c: c.vcpu)

    def _place(self, tids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        if not len(self._tids):
            return np.full(len(tids), -1)
        place = np.searchsorted(self._tids, tids).clip(max=len(self._tids) - 1)
        return np.where(self._tids[place] == tids, place, -1)


@dataclass(frozen=True)
class _Thread:
    tid: int
    first_entry: int
    first: int
    tgid: int | None
    comm: str | None


def find_machines(host: HostTrace, processes: Mapping[int, int | str] | None = None) -> Machines:
    """The VMs whose vCPU threads a host trace shows.

    `processes` names the VMM of threads whose tgid was not recorded (from session.toml). Of others
    the guests that the host's recorder knew tell VM and vCPU. VMs are numbered by their first
    kvm_entry. Raises InputError beyond 65,536 VMs or vCPUs of one.
    """
    threads, guests = _vcpu_threads(host), recorded_guests(host)
    keys, grouped_by = _vm_keys(threads, {**guests.vm_of, **(processes or {})})
    groups: dict[Hashable, list[_Thread]] = {}
    for thread, key in zip(threads, keys, strict=True):
        groups.setdefault(key, []).append(thread)
    if max(map(len, [groups, *groups.values()])) > MACHINES_MAX:
        raise InputError("machines", f"more than {MACHINES_MAX} VMs or vCPUs in a VM")
    vms = [
        Vm(number, key if isinstance(key, int) else None, _numbered(group, guests.vcpu_of))
        for number, (key, group) in enumerate(groups.items())
    ]
    return Machines(vms, grouped_by if threads else None)


def _vcpu_threads(host: HostTrace) -> list[_Thread]:
    """The threads that run kvm_entry or kvm_exit, by first kvm_entry."""
    named = pl.col("comm").filter(~pl.col("comm").str.contains(rf"^({_NO_NAME.pattern})$"))
    last = np.iinfo(np.int64).max
    rows = (
        host.threads.seen.sort("first")
        .group_by("pid")
        .agg(
            pl.col("first_entry").min().fill_null(last),
            pl.col("first").min(),
            pl.col("tgid").drop_nulls().first(),
            named.drop_nulls().first(),
        )
        .sort("first_entry", "first")
    )
    return [_Thread(*row) for row in rows.iter_rows()]


def _vm_keys(
    threads: Sequence[_Thread], processes: Mapping[int, int | str]
) -> tuple[list[Hashable], str | None]:
    """Per thread what its VM is told by: process, session.toml, name, or nothing."""
    names = _name_keys(threads)
    tgids: dict[Hashable, set[int]] = {}
    for thread, name in zip(threads, names, strict=True):
        if name is not None and thread.tgid is not None:
            tgids.setdefault(name, set()).add(thread.tgid)
    keys: list[Hashable] = []
    guessed = None
    for thread, name in zip(threads, names, strict=True):
        if thread.tgid is not None:
            keys.append(thread.tgid)
        elif thread.tid in processes:
            keys.append(processes[thread.tid])
        elif len(tgids.get(name, ())) == 1:
            keys.append(next(iter(tgids[name])))
        else:
            keys.append(name)
            guessed = "names" if name is not None else guessed or "nothing"
    known = {key for key in keys if key is not None}
    return [
        key if key is not None or len(known) != 1 else next(iter(known)) for key in keys
    ], guessed


def _name_keys(threads: Sequence[_Thread]) -> list[Hashable]:
    """Per thread (pattern of its name, how many of the same name came before it)."""
    seen: dict[str, Callable[[], int]] = {}
    keys: list[Hashable] = []
    for thread in threads:
        if thread.comm is None:
            keys.append(None)
            continue
        nth = seen.setdefault(thread.comm, count().__next__)()
        keys.append((_NUMBER.sub("#", thread.comm, count=1), nth))
    return keys


def _numbered(threads: Sequence[_Thread], recorded: Mapping[int, int]) -> list[Vcpu]:
    """The threads of one VM as vCPUs: recorded numbers, else those in their names, else in order of
    first appearance.
    """
    numbers: dict[int, _Thread] = {}
    unnumbered = []
    for thread in sorted(threads, key=lambda thread: thread.tid not in recorded):
        match = _NUMBER.search(thread.comm or "")
        number = int(match[0]) if match and len(match[0]) <= 5 else MACHINES_MAX
        number = recorded.get(thread.tid, number)
        if number < MACHINES_MAX and number not in numbers:
            numbers[number] = thread
        else:
            unnumbered.append(thread)
    free = (n for n in count() if n not in numbers)
    numbers |= {next(free): thread for thread in unnumbered} if unnumbered else {}
    return [Vcpu(n, t.tid, t.comm) for n, t in sorted(numbers.items())]
