"""What a stage-2 strategy is: hooks that the engine calls, and what they may do.

A strategy is a class with a few facts about itself and the hooks that it needs; the engine makes one
instance per replay. Hooks get the `Vcpu` concerned and act through it: walk the guest's stage 1, pin
or map pages, charge time. State per vCPU lives in `vcpu.notes`, a dict that is the strategy's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spetrace.replay.parameters import Parameters

if TYPE_CHECKING:
    from spetrace.replay.vcpu import Vcpu
    from spetrace.replay.vm import Vm


@dataclass(frozen=True)
class Fault:
    """A stage-2 fault of the SPU's write, as KVM sees it."""

    va: int
    """Where the write faulted."""
    ipa_page: int
    """The page that is not mapped as needed: of the buffer, or a stage-1 table."""
    on_walk: bool
    """Whether it is a stage-1 table page."""
    data_loss: bool
    """PMBSR_EL1.DL: a record was written in part."""


@dataclass(frozen=True)
class Resume:
    """Profiling goes on after a blackout; `cost_ns` is what KVM spent."""

    cost_ns: int
    cause: str = "fault"


@dataclass(frozen=True)
class Abort:
    """KVM gives up and reports an external abort to the guest."""

    reason: str
    unsaved: int = 0
    """The last so many records of the epoch never reached the guest: lost whatever data_loss says."""


Decision = Resume | Abort


class Strategy:
    """A strategy that does nothing and aborts on every fault; others override what differs."""

    name: ClassVar[str] = ""
    doc: ClassVar[str] = ""
    """One sentence: what KVM does."""
    origin: ClassVar[str] = ""
    """Where it comes from."""
    requires: ClassVar[tuple[str, ...]] = ()
    """What a machine, kernel or user must grant."""
    bound: ClassVar[str | None] = None
    """ "upper" or "lower" for a strategy that bounds all others."""

    traps_registers: ClassVar[bool] = False
    """KVM traps the guest's writes of the four SPE registers."""
    has_stage2: ClassVar[bool] = True
    pins_whole_vm: ClassVar[bool] = False
    """Stage-2 events count even where no buffer ever lies."""
    takes_records: ClassVar[bool] = False
    """The SPU writes to a buffer of the host (hooks `room`, `on_no_room`)."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.costs = parameters.costs

    def refused_causes(self) -> frozenset[str]:
        """The causes of stage2_unmap that a pinned page outlives."""
        return self.parameters.refused_causes

    def on_vm_start(self, vm: Vm) -> None:
        """Act at the VM's first event."""

    def on_armed(self, vcpu: Vcpu) -> None:
        """Act on a register write after which the buffer is live at some EL."""

    def on_enabled(self, vcpu: Vcpu) -> None:
        """Act on a register write after which profiling is enabled at EL1."""

    def on_disabled(self, vcpu: Vcpu) -> None:
        """Act on a write that takes PMBLIMITR_EL1.E from 1 to 0."""

    def on_epoch_end(self, vcpu: Vcpu) -> None:
        """Act before the records of an epoch count as captured."""

    def on_fault(self, vcpu: Vcpu, fault: Fault) -> Decision:
        """Decide what becomes of a stage-2 fault."""
        return Abort("stage-2 fault")

    def traps_eret(self, vcpu: Vcpu) -> bool:
        """Whether KVM traps ERETs now; asked while the epoch is armed with only E0SPE set."""
        return False

    def acts_on_eret(self, vcpu: Vcpu) -> bool:
        """Whether the next trapped ERET to EL0 leads to `on_eret`; all others are useless."""
        return True

    def on_eret(self, vcpu: Vcpu) -> None:
        """Act on a trapped ERET to EL0."""

    def room(self, vcpu: Vcpu) -> int:
        """Bytes that the host's buffer still takes (where `takes_records`)."""
        return 0

    def on_written(self, vcpu: Vcpu, size: int, records: int) -> None:
        """Note that `records` records of `size` bytes were written (where `takes_records`)."""

    def on_no_room(self, vcpu: Vcpu) -> Decision:
        """Decide when a record does not fit (where `takes_records`)."""
        return Abort("no room")

    def on_time(self, vcpu: Vcpu, now: int) -> None:
        """Act at a time asked for with `vcpu.wake_at`, before the first event from then on."""
