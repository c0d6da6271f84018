"""pin-and-keep: pins outlive their buffer for a while."""

from plain_walk.strategy import Strategy


class PinAndKeep(Strategy):
    traps_registers = True

    def on_armed(self, vcpu):
        if vcpu.oversize:
            vcpu.vm.count("oversize_buffers")
            self._turn_idle(vcpu, self._pinned(vcpu))
            return
        pages = vcpu.buffer_pages
        mappings = [vcpu.walk(page) for page in pages]
        vcpu.charge(len(pages) * vcpu.vm.costs.walk_page_ns)
        buffer = {p for mapping in mappings if mapping for p in (mapping[0], *mapping[1])}
        self._hold(vcpu, buffer)
        if None in mappings:
            vcpu.vm.count("stage1_faults")
            vcpu.stop("s1")

    def _hold(self, vcpu, buffer):
        vm = vcpu.vm
        pinned = self._pinned(vcpu)
        self._turn_idle(vcpu, pinned - buffer)
        for page in pinned & buffer:
            vcpu.idle.pop(page, None)
        new = buffer - pinned
        if vm.over_memlock_with(new):
            vcpu.charge(sum(vm.release(vcpu, page) for page in vcpu.idle))
            vcpu.idle = {}
        if vm.over_memlock_with(new):
            vm.count("memlock_failures")
        else:
            vcpu.charge(sum(vm.pin(vcpu, page) for page in new))

    def on_disabled(self, vcpu):
        self._turn_idle(vcpu, self._pinned(vcpu))

    def _pinned(self, vcpu):
        """The vCPU's pinned pages; forgets what a forced unmap has dropped."""
        pinned = vcpu.vm.pages_of(vcpu)
        vcpu.idle = {page: since for page, since in vcpu.idle.items() if page in pinned}
        return pinned

    def _turn_idle(self, vcpu, pages):
        for page in pages:
            vcpu.idle.setdefault(page, self.walk.now)

    # Timed releases

    def next_release(self):
        return min((due for _, _, due in self._timers()), default=None)

    def release_due(self, ts):
        for vcpu, page, due in list(self._timers()):
            if due == ts:
                del vcpu.idle[page]
                vcpu.charge(vcpu.vm.release(vcpu, page))

    def _timers(self):
        keep_ns = self.walk.parameters.keep_ns
        if keep_ns is None:
            return
        for vcpu in self.walk.all_vcpus():
            self._pinned(vcpu)
            for page, since in vcpu.idle.items():
                yield vcpu, page, since + keep_ns
