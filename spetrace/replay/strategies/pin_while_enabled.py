"""Pin the buffer from arming to disabling."""

from typing import ClassVar

from spetrace.replay.pinning import pin_buffer, release_all
from spetrace.replay.strategy import Strategy
from spetrace.replay.vcpu import Vcpu


class PinWhileEnabled(Strategy):
    """The buffer is pinned as long as PMBLIMITR_EL1.E is set."""

    name = "pin-while-enabled"
    doc = (
        "Trap the SPE registers; pin the buffer when a write arms it, release it when E is "
        "cleared, and report a buffer that stage 1 does not map at once."
    )
    origin = "KVM SPE series RFC v6 of November 2025"
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of the buffers in use",)
    traps_registers = True

    def on_armed(self, vcpu: Vcpu) -> None:
        """Pin the buffer, all of it or report a stage-1 fault."""
        result = pin_buffer(vcpu)
        vcpu.charge(result.cost_ns)
        if not result.complete:
            vcpu.report_stage1_fault()

    def on_disabled(self, vcpu: Vcpu) -> None:
        """Release the vCPU's pins."""
        vcpu.charge(release_all(vcpu))
