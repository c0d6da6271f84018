"""host-buffer: the SPU writes into memory of the host, and KVM copies to the guest."""

from plain_walk.strategy import Strategy


class HostBuffer(Strategy):
    traps_registers = True

    def on_armed(self, vcpu):
        vm, costs = vcpu.vm, vcpu.vm.costs
        cost = self._drain(vcpu)
        if cost is None:
            return
        vm.count("unpins", vcpu.host_pages)
        vcpu.charge(cost + vcpu.host_pages * costs.unpin_page_ns)
        vcpu.host_pages = 0
        vcpu.capacity = max(0, min(vcpu.limit - vcpu.pointer, vm.parameters.host_buffer_bytes))
        pages = -(-vcpu.capacity // vm.page_size)
        if vm.over_memlock(pages * vm.page_size):
            vm.count("memlock_failures")
            vcpu.capacity = 0
            self.walk.abort(vcpu)
            return
        vcpu.host_pages = pages
        vm.count("pins", pages)
        vcpu.charge(pages * costs.pin_page_ns)

    def take_record(self, vcpu, record, size):
        if vcpu.fill + size <= vcpu.capacity:
            vcpu.pointer += size
            vcpu.fill += size
            vcpu.written.append(record)
            vcpu.in_host.append(record)
            return "written"
        cost = self._drain(vcpu)
        if cost is not None:
            self.walk.resume(vcpu, cost)
        return "lost_fault"

    def on_epoch_end(self, vcpu):
        vcpu.charge(self._drain(vcpu) or 0)

    def _drain(self, vcpu):
        """Copy the fill to the guest; returns the cost, or None after an abort."""
        if vcpu.fill == 0:
            return 0
        costs, size = vcpu.vm.costs, vcpu.vm.page_size
        fill, in_host = vcpu.fill, vcpu.in_host
        vcpu.fill, vcpu.in_host = 0, []
        pages = range((vcpu.pointer - fill) // size, (vcpu.pointer - 1) // size + 1)
        for page in pages:
            if vcpu.walk(page) is None:
                self.walk.discard(in_host)
                vcpu.written = [record for record in vcpu.written if record not in in_host]
                self.walk.abort(vcpu, already_discarded=len(in_host))
                return None
        vcpu.vm.count("bytes_copied", fill)
        return len(pages) * (costs.walk_page_ns + costs.copy_page_ns)
