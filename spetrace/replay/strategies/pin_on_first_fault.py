"""Pin the buffer when the SPU first faults in it."""

from typing import ClassVar

from spetrace.replay.pinning import pin_buffer
from spetrace.replay.strategy import Abort, Decision, Fault, Resume, Strategy
from spetrace.replay.vcpu import Vcpu


class PinOnFirstFault(Strategy):
    """The first fault of an epoch pins all of the buffer that is left; a second one aborts."""

    name = "pin-on-first-fault"
    doc = "On an epoch's first fault pin the rest of the buffer and resume; abort on a second one."
    origin = (
        'option 4 of the thread "KVM/arm64: SPE: Translate VA to IPA on a stage 2 fault instead of '
        'pinning VM memory" (April 2022 to January 2023)'
    )
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of the buffers in use",)

    def on_fault(self, vcpu: Vcpu, fault: Fault) -> Decision:
        """Pin the buffer, unless this epoch is pinned."""
        if vcpu.epoch_pinned:
            return Abort("a fault in a pinned epoch")
        if fault.data_loss:
            return Abort("a record was written in part")
        result = pin_buffer(vcpu)
        if result.success:
            return Resume(result.cost_ns)
        vcpu.charge(result.cost_ns)
        return Abort("the buffer could not be pinned")
