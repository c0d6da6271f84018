"""Pin the buffer when the guest enables profiling."""

from typing import ClassVar

from spetrace.replay.pinning import pin_buffer
from spetrace.replay.strategies.pin_on_first_fault import PinOnFirstFault
from spetrace.replay.strategy import Abort, Decision, Fault
from spetrace.replay.vcpu import Vcpu


class PinOnEnable(PinOnFirstFault):
    """A register write that enables profiling pins the buffer."""

    name = "pin-on-enable"
    doc = (
        "Trap the SPE registers; pin the buffer when a write enables profiling at EL1, or on the "
        "first fault where an ERET to EL0 started it unseen."
    )
    origin = (
        'option 3b of the thread "KVM/arm64: SPE: Translate VA to IPA on a stage 2 fault instead of '
        'pinning VM memory" (April 2022 to January 2023)'
    )
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of the buffers in use",)
    traps_registers = True

    def on_enabled(self, vcpu: Vcpu) -> None:
        """Pin the buffer, unless this epoch is pinned."""
        if not vcpu.epoch_pinned:
            vcpu.charge(pin_buffer(vcpu).cost_ns)

    def on_fault(self, vcpu: Vcpu, fault: Fault) -> Decision:
        """Pin late where profiling started at EL0 and nothing is written yet."""
        if vcpu.written:
            return Abort("a fault after records were written")
        return super().on_fault(vcpu, fault)
