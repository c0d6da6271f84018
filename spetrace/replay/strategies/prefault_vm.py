"""Pre-fault all memory of the VM from a guest_memfd."""

from typing import ClassVar

from spetrace.replay.strategies.pin_vm import PinVm
from spetrace.replay.vm import Vm
from spetrace.tables.events import CAUSES


class PrefaultVm(PinVm):
    """As pin-vm, but guest_memfd keeps the pages: only a memslot change takes them away."""

    name = "prefault-vm"
    doc = "Back the VM by guest_memfd and pre-fault all of it; only a memslot change unmaps."
    origin = "KVM SPE series RFC v7 of September 2026 (guest_memfd, KVM_PRE_FAULT_MEMORY)"
    requires: ClassVar[tuple[str, ...]] = (
        "guest_memfd with in-place sharing and KVM_PRE_FAULT_MEMORY",
    )

    def refused_causes(self) -> frozenset[str]:
        """Every cause but memslot: guest_memfd's pages are not reclaimed or moved."""
        return frozenset(CAUSES) - {"memslot"}

    def allowed(self, vm: Vm, size: int) -> bool:
        """guest_memfd does not count against RLIMIT_MEMLOCK."""
        return True
