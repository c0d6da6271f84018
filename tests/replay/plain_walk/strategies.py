"""The strategies by name, and those that only answer faults."""

from plain_walk.buffer_pins import (
    PinOnArm,
    PinOnEnable,
    PinOnFirstFault,
    PinWhileEnabled,
    TrapEret,
    TrapEretAlways,
)
from plain_walk.host_buffer import HostBuffer
from plain_walk.pin_and_keep import PinAndKeep
from plain_walk.strategy import Strategy


class BareMetal(Strategy):
    has_stage2 = False


class InjectAbort(Strategy):
    pass


class PinVm(Strategy):
    def on_first_event(self, vm):
        pages = vm.parameters.memory_bytes // vm.page_size
        if self.memlock_allows(vm, pages):
            vm.count("pins", pages)
            vm.count("setup_ns", pages * vm.costs.pin_page_ns)
            vm.pin_everything(pages)
        else:
            vm.count("memlock_failures")

    def memlock_allows(self, vm, pages):
        return not vm.over_memlock(pages * vm.page_size)


class PrefaultVm(PinVm):
    def memlock_allows(self, vm, pages):
        return True

    def refuses(self, cause):
        return cause != "memslot"


class MapOnFault(Strategy):
    def on_stage2_fault(self, vcpu, fault):
        if fault.data_loss:
            self.walk.abort(vcpu, fault)
            return
        cost = 0
        if not fault.on_walk:
            cost += vcpu.vm.costs.walk_page_ns
            if vcpu.walk(fault.va_page) is None:
                vcpu.charge(cost)
                self.walk.abort(vcpu, fault)
                return
        vcpu.vm.set_stage2(fault.ipa_page, "writable")
        self.walk.resume(vcpu, cost + vcpu.vm.costs.map_page_ns, fault)


class PinWalk(Strategy):
    def on_stage2_fault(self, vcpu, fault):
        if fault.data_loss:
            self.walk.abort(vcpu, fault)
            return
        cost = vcpu.vm.release_all(vcpu)
        resolved = True
        if not fault.on_walk:
            cost += vcpu.vm.costs.walk_page_ns
            resolved = vcpu.walk(fault.va_page) is not None
        if resolved and not vcpu.vm.over_memlock_with([fault.ipa_page]):
            cost += vcpu.vm.pin(vcpu, fault.ipa_page)
            self.walk.resume(vcpu, cost, fault)
            return
        vcpu.vm.count("memlock_failures", int(resolved))
        vcpu.charge(cost)
        self.walk.abort(vcpu, fault)


STRATEGIES = {
    "bare-metal": BareMetal,
    "inject-abort": InjectAbort,
    "pin-vm": PinVm,
    "prefault-vm": PrefaultVm,
    "map-on-fault": MapOnFault,
    "pin-walk": PinWalk,
    "pin-on-first-fault": PinOnFirstFault,
    "pin-on-enable": PinOnEnable,
    "pin-on-arm": PinOnArm,
    "pin-while-enabled": PinWhileEnabled,
    "pin-and-keep": PinAndKeep,
    "trap-eret": TrapEret,
    "trap-eret-always": TrapEretAlways,
    "host-buffer": HostBuffer,
}
