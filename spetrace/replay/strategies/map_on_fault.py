"""Map each page when the SPU faults on it."""

from spetrace.replay.pinning import walk
from spetrace.replay.strategy import Abort, Decision, Fault, Resume, Strategy
from spetrace.replay.vcpu import Vcpu


class MapOnFault(Strategy):
    """On a fault KVM walks the guest's stage 1 for the VA and maps that page, unpinned."""

    name = "map-on-fault"
    doc = "On a fault walk the guest's stage 1, map the one page, and resume."
    origin = (
        'option 2 of the thread "KVM/arm64: SPE: Translate VA to IPA on a stage 2 fault instead of '
        'pinning VM memory" (April 2022 to January 2023)'
    )

    def on_fault(self, vcpu: Vcpu, fault: Fault) -> Decision:
        """Map the faulting page."""
        if fault.data_loss:
            return Abort("a record was written in part")
        cost = self.costs.map_page_ns
        if not fault.on_walk:
            page = fault.va // vcpu.vm.page_size
            cost += self.costs.walk_page_ns
            if walk(vcpu, page, page + 1).failures:
                vcpu.charge(self.costs.walk_page_ns)
                return Abort("the guest's stage 1 has no mapping")
        vcpu.vm.stage2.map(fault.ipa_page, fault.ipa_page + 1, writable=True)
        return Resume(cost)
