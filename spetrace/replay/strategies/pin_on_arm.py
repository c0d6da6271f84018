"""Pin the buffer when the guest programs it."""

from typing import ClassVar

from spetrace.replay.pinning import pin_buffer
from spetrace.replay.strategy import Strategy
from spetrace.replay.vcpu import Vcpu


class PinOnArm(Strategy):
    """A register write that arms the buffer pins it, at whatever translations stand then."""

    name = "pin-on-arm"
    doc = "Trap the SPE registers; pin the buffer whenever a write leaves it armed."
    origin = (
        'option 3a of the thread "KVM/arm64: SPE: Translate VA to IPA on a stage 2 fault instead of '
        'pinning VM memory" (April 2022 to January 2023)'
    )
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of the buffers in use",)
    traps_registers = True

    def on_armed(self, vcpu: Vcpu) -> None:
        """Pin the buffer."""
        vcpu.charge(pin_buffer(vcpu).cost_ns)
