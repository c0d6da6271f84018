"""Pin all memory of the VM before it runs."""

from typing import ClassVar

from spetrace.replay.strategy import Strategy
from spetrace.replay.vm import Vm


class PinVm(Strategy):
    """The whole VM is pinned at its first event, if RLIMIT_MEMLOCK allows."""

    name = "pin-vm"
    doc = "Pin and map all of the VM's memory before it runs; abort on a fault all the same."
    origin = "KVM SPE series v1 to v5 (locked memslots)"
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of at least the VM's memory",)
    pins_whole_vm = True

    def on_vm_start(self, vm: Vm) -> None:
        """Pin the VM's memory."""
        pages = vm.parameters.memory_bytes // vm.page_size
        if self.allowed(vm, pages * vm.page_size):
            vm.counters.pins += pages
            vm.counters.setup_ns += pages * self.costs.pin_page_ns
            vm.pinned_bytes = pages * vm.page_size
            vm.stage2.pin_all()

    def allowed(self, vm: Vm, size: int) -> bool:
        """Whether `size` bytes may be pinned."""
        return vm.fits_memlock(size)
