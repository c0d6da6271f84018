"""The tracks of virtual machines: a process per VM, a thread per vCPU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from spetrace.export.tracks import Track

_OWN_NUMBERS: Final = 1 << 30
"""Process and thread numbers from here on are of no real thread (PID_MAX_LIMIT is 2**22)."""
_NUMBERS_END: Final = 1 << 31


class Machines:
    """The tracks of a session's VMs, numbered as their threads were where that is known."""

    def __init__(self, machines: Sequence[Mapping[str, Any]]) -> None:
        """`machines` as session.json has them."""
        self._processes: dict[int, int] = {}
        self._threads: dict[tuple[int, int], int] = {}
        self._taken: set[int] = set()
        for machine in _objects(machines):
            vm = machine.get("vm")
            if isinstance(vm, int) and vm not in self._processes:
                self._processes[vm] = self._number(machine.get("pid"))
                self._add_vcpus(vm, _objects(machine.get("vcpus")))

    def vm(self, vm: int | None) -> Track:
        """The process of a VM."""
        if vm is None:
            return Track("unknown VM", pid=_NUMBERS_END - 1, rank=1 << 16)
        if vm not in self._processes:
            self._processes[vm] = self._number(None)
        return Track(f"VM {vm}", pid=self._processes[vm], rank=vm)

    def vcpu(self, vm: int | None, vcpu: int | None) -> Track:
        """The thread of a vCPU; of an unknown one a track that is no thread."""
        process = self.vm(vm)
        if vm is None or vcpu is None:
            return Track(vcpu_name(vcpu), parent=process, rank=vcpu_rank(vcpu))
        if (vm, vcpu) not in self._threads:
            self._threads[vm, vcpu] = self._number(None)
        tid = self._threads[vm, vcpu]
        return Track(f"vCPU {vcpu}", parent=process, pid=process.pid, tid=tid, rank=vcpu)

    def _add_vcpus(self, vm: int, vcpus: Iterable[Mapping[str, Any]]) -> None:
        for facts in vcpus:
            vcpu = facts.get("vcpu")
            if isinstance(vcpu, int) and (vm, vcpu) not in self._threads:
                self._threads[vm, vcpu] = self._number(facts.get("pid"))

    def _number(self, recorded: Any) -> int:
        """The recorded number where it is one and no other has it, else one of our own."""
        fits = isinstance(recorded, int) and 0 < recorded < _OWN_NUMBERS
        number = recorded if fits and recorded not in self._taken else None
        if number is None:
            number = _OWN_NUMBERS + len(self._taken)
        self._taken.add(number)
        return int(number)


def vcpu_name(vcpu: int | None) -> str:
    """What a vCPU is called."""
    return "unknown vCPU" if vcpu is None else f"vCPU {vcpu}"


def vcpu_rank(vcpu: int | None) -> int:
    """Its place among the others."""
    return 1 << 16 if vcpu is None else vcpu


def _objects(values: Any) -> Iterable[Mapping[str, Any]]:
    return (v for v in values if isinstance(v, Mapping)) if isinstance(values, list) else ()
