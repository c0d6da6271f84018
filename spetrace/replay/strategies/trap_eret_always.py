"""Trap every ERET and pin the buffer again whenever its translations changed."""

from spetrace.replay.pinning import pin_buffer
from spetrace.replay.strategies.trap_eret import TrapEret
from spetrace.replay.vcpu import Vcpu


class TrapEretAlways(TrapEret):
    """As trap-eret, with the trap kept for as long as only E0SPE is set."""

    name = "trap-eret-always"
    doc = (
        "As pin-on-enable; while only E0SPE is set trap every ERET, and pin the buffer on one to "
        "EL0 if it is not pinned or its translations changed."
    )
    origin = "FEAT_FGT's HFGITR_EL2.ERET, with the trap kept"

    def traps_eret(self, vcpu: Vcpu) -> bool:
        """Always."""
        return True

    def acts_on_eret(self, vcpu: Vcpu) -> bool:
        """Whether there is something to pin."""
        return not vcpu.epoch_pinned or vcpu.walked_changed

    def on_eret(self, vcpu: Vcpu) -> None:
        """Pin the buffer."""
        vcpu.charge(pin_buffer(vcpu).cost_ns)
