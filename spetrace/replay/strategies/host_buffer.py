"""Let the SPU write to a buffer of the host and copy to the guest."""

from dataclasses import dataclass
from typing import ClassVar

from spetrace.replay.pinning import walk
from spetrace.replay.strategy import Abort, Decision, Resume, Strategy
from spetrace.replay.vcpu import Vcpu


@dataclass
class Stand:
    """The host's buffer of one vCPU, as it stands."""

    pages: int = 0
    capacity: int = 0
    fill: int = 0
    records: int = 0
    """Records in the `fill` bytes."""


class HostBuffer(Strategy):
    """The SPU writes to pinned memory of the host; KVM copies it into the guest's buffer."""

    name = "host-buffer"
    doc = (
        "Trap the SPE registers; let the SPU write to a pinned buffer of the host, and copy it to "
        "the guest's when it is full or the guest stops."
    )
    origin = 'the proposal "A new approach for SPE support" of November 2022'
    requires: ClassVar[tuple[str, ...]] = (
        "FEAT_FGT, or the guest sees PMBIDR_EL1.P = 1",
        "RLIMIT_MEMLOCK of a buffer per vCPU",
    )
    traps_registers = True
    takes_records = True

    def on_armed(self, vcpu: Vcpu) -> None:
        """Replace the host's buffer by one for the buffer now armed."""
        stand = _stand(vcpu)
        if stand.fill:
            decision = self._drain(vcpu)
            if isinstance(decision, Abort):
                vcpu.abort(decision)
                return
            vcpu.charge(decision.cost_ns)
        vm = vcpu.vm
        self._give_back(vcpu, stand)
        capacity = max(0, min(vcpu.buffer_bytes, self.parameters.host_buffer_bytes))
        pages = -(-capacity // vm.page_size)
        if not vm.fits_memlock(pages * vm.page_size):
            vcpu.abort(Abort("RLIMIT_MEMLOCK"))
            return
        stand.capacity, stand.pages = capacity, pages
        vm.counters.pins += pages
        vm.pinned_bytes += pages * vm.page_size
        vcpu.charge(pages * self.costs.pin_page_ns)

    def room(self, vcpu: Vcpu) -> int:
        """Bytes free in the host's buffer."""
        stand = _stand(vcpu)
        return stand.capacity - stand.fill

    def on_written(self, vcpu: Vcpu, size: int, records: int) -> None:
        """Note what the SPU wrote."""
        stand = _stand(vcpu)
        stand.fill += size
        stand.records += records

    def on_no_room(self, vcpu: Vcpu) -> Decision:
        """Copy what is there to the guest, and go on."""
        return self._drain(vcpu)

    def on_epoch_end(self, vcpu: Vcpu) -> None:
        """Copy what is left to the guest."""
        if _stand(vcpu).fill:
            decision = self._drain(vcpu)
            if isinstance(decision, Abort):
                vcpu.abort(decision)
            else:
                vcpu.charge(decision.cost_ns)

    def _give_back(self, vcpu: Vcpu, stand: Stand) -> None:
        vm = vcpu.vm
        vm.counters.unpins += stand.pages
        vm.pinned_bytes -= stand.pages * vm.page_size
        vcpu.charge(stand.pages * self.costs.unpin_page_ns)
        stand.pages = stand.capacity = 0

    def _drain(self, vcpu: Vcpu) -> Decision:
        """Copy the filled bytes to the guest; abort where its stage 1 does not map them."""
        stand = _stand(vcpu)
        fill, records = stand.fill, stand.records
        stand.fill = stand.records = 0
        if not fill:
            return Resume(0, "drain")
        size = vcpu.vm.page_size
        first, end = (vcpu.pointer - fill) // size, (vcpu.pointer - 1) // size + 1
        runs = vcpu.vm.stage1.runs(first, end)
        failed = next((start for start, _, mapping in runs if mapping is None), None)
        if failed is not None:
            walk(vcpu, first, failed + 1)
            return Abort("the guest's stage 1 does not map its buffer", unsaved=records)
        walk(vcpu, first, end)
        vcpu.vm.counters.bytes_copied += fill
        return Resume((end - first) * (self.costs.walk_page_ns + self.costs.copy_page_ns), "drain")


def _stand(vcpu: Vcpu) -> Stand:
    stand: Stand = vcpu.notes.setdefault("host_buffer", Stand())
    return stand
