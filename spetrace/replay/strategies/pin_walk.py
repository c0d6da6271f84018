"""Pin just the page that the SPU writes."""

from typing import ClassVar

from spetrace.replay.pinning import release_all, walk
from spetrace.replay.strategy import Abort, Decision, Fault, Resume, Strategy
from spetrace.replay.vcpu import Vcpu


class PinWalk(Strategy):
    """On a fault KVM pins the one page that faulted, in place of the one before."""

    name = "pin-walk"
    doc = "On a fault release the page pinned before, pin the one that faulted, and resume."
    origin = (
        'the single pinned root-to-target walk of the thread "KVM/arm64: SPE: Translate VA to IPA '
        'on a stage 2 fault instead of pinning VM memory" (April 2022 to January 2023)'
    )
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of a page per vCPU",)

    def on_fault(self, vcpu: Vcpu, fault: Fault) -> Decision:
        """Pin the faulting page."""
        if fault.data_loss:
            return Abort("a record was written in part")
        cost = release_all(vcpu)
        if not fault.on_walk:
            page = fault.va // vcpu.vm.page_size
            cost += self.costs.walk_page_ns
            if walk(vcpu, page, page + 1).failures:
                vcpu.charge(cost)
                return Abort("the guest's stage 1 has no mapping")
        target = [(fault.ipa_page, fault.ipa_page + 1)]
        if not vcpu.vm.fits_memlock(vcpu.vm.stage2.unpinned(target) * vcpu.vm.page_size):
            vcpu.charge(cost)
            return Abort("RLIMIT_MEMLOCK")
        vcpu.pinned = target
        return Resume(cost + vcpu.vm.pin(target, vcpu.pin_bit))
