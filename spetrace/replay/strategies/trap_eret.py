"""Trap the first ERET to EL0 and pin the buffer then."""

from typing import ClassVar

from spetrace.replay.pinning import pin_buffer
from spetrace.replay.strategies.pin_on_enable import PinOnEnable
from spetrace.replay.strategy import Abort, Decision, Fault
from spetrace.replay.vcpu import Vcpu


class TrapEret(PinOnEnable):
    """As pin-on-enable, with the ERET trapped that starts profiling at EL0 unseen."""

    name = "trap-eret"
    doc = (
        "As pin-on-enable; while only E0SPE is set trap ERETs, pin the buffer on the first one to "
        "EL0, then lift the trap."
    )
    origin = "FEAT_FGT's HFGITR_EL2.ERET, with the trap lifted after the first ERET to EL0"
    requires: ClassVar[tuple[str, ...]] = ("FEAT_FGT", "RLIMIT_MEMLOCK of the buffers in use")

    def on_fault(self, vcpu: Vcpu, fault: Fault) -> Decision:
        """Abort: there is no unseen start of profiling."""
        return Abort("stage-2 fault")

    def traps_eret(self, vcpu: Vcpu) -> bool:
        """Until this epoch is pinned or has trapped an ERET to EL0."""
        return not vcpu.epoch_pinned and vcpu.notes.get("trapped_epoch") != vcpu.epoch

    def on_eret(self, vcpu: Vcpu) -> None:
        """Pin the buffer and lift the trap for this epoch."""
        vcpu.notes["trapped_epoch"] = vcpu.epoch
        vcpu.charge(pin_buffer(vcpu).cost_ns)
