"""The strategies that pin a whole buffer at a time."""

from plain_walk.strategy import Strategy


class BufferPins(Strategy):
    def pin_buffer(self, vcpu):
        """Returns (success, cost, whether any walk failed)."""
        vm = vcpu.vm
        cost = vm.release_all(vcpu)
        vcpu.walked, vcpu.changed = set(), False
        if vcpu.oversize:
            vm.count("oversize_buffers")
            return False, cost, False
        pages = vcpu.buffer_pages
        mappings = [vcpu.walk(page) for page in pages]
        vcpu.walked = set(pages)
        cost += len(pages) * vm.costs.walk_page_ns
        failed = None in mappings
        new = {p for mapping in mappings if mapping for p in (mapping[0], *mapping[1])}
        if vm.over_memlock_with(new):
            vm.count("memlock_failures")
            return False, cost, failed
        cost += sum(vm.pin(vcpu, page) for page in new)
        success = bool(mappings) and mappings[0] is not None
        if success:
            vcpu.pinned = True
        return success, cost, failed

    def pin_buffer_and_charge(self, vcpu):
        success, cost, failed = self.pin_buffer(vcpu)
        vcpu.charge(cost)
        return success, failed

    def pin_buffer_on_fault(self, vcpu, fault):
        success, cost, _ = self.pin_buffer(vcpu)
        if success:
            self.walk.resume(vcpu, cost, fault)
        else:
            vcpu.charge(cost)
            self.walk.abort(vcpu, fault)


class PinOnFirstFault(BufferPins):
    def on_stage2_fault(self, vcpu, fault):
        if vcpu.pinned or fault.data_loss:
            super().on_stage2_fault(vcpu, fault)
        else:
            self.pin_buffer_on_fault(vcpu, fault)


class PinsOnEnable(BufferPins):
    """What pin-on-enable and the strategies that trap ERET have in common."""

    traps_registers = True

    def on_enabled(self, vcpu):
        if not vcpu.pinned:
            self.pin_buffer_and_charge(vcpu)


class PinOnEnable(PinsOnEnable):
    def on_stage2_fault(self, vcpu, fault):
        if vcpu.pinned or vcpu.written or fault.data_loss:
            super().on_stage2_fault(vcpu, fault)
        else:
            self.pin_buffer_on_fault(vcpu, fault)


class PinOnArm(BufferPins):
    traps_registers = True

    def on_armed(self, vcpu):
        self.pin_buffer_and_charge(vcpu)


class PinWhileEnabled(BufferPins):
    traps_registers = True

    def on_armed(self, vcpu):
        _, failed = self.pin_buffer_and_charge(vcpu)
        if failed:
            vcpu.vm.count("stage1_faults")
            vcpu.stop("s1")

    def on_disabled(self, vcpu):
        vcpu.charge(vcpu.vm.release_all(vcpu))


class TrapEret(PinsOnEnable):
    def on_eret(self, vcpu, to_el):
        if not _only_el0(vcpu) or vcpu.pinned or vcpu.eret_trapped:
            return
        _count_trap(vcpu)
        if to_el == 0:
            vcpu.eret_trapped = True
            self.pin_buffer_and_charge(vcpu)
        else:
            vcpu.vm.count("eret_traps_useless")


class TrapEretAlways(PinsOnEnable):
    def on_eret(self, vcpu, to_el):
        if not _only_el0(vcpu):
            return
        _count_trap(vcpu)
        if to_el == 0 and (not vcpu.pinned or vcpu.changed):
            self.pin_buffer_and_charge(vcpu)
        else:
            vcpu.vm.count("eret_traps_useless")

    def on_stage1_change(self, vm, va_page):
        for vcpu in vm.vcpus.values():
            if va_page in vcpu.walked:
                vcpu.changed = True


def _only_el0(vcpu):
    return vcpu.armed and vcpu.e0spe and not vcpu.e1spe


def _count_trap(vcpu):
    vcpu.vm.count("eret_traps")
    vcpu.charge(vcpu.vm.costs.eret_trap_ns)
