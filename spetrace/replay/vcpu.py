"""One vCPU under one strategy: its SPE registers, its epoch, and what a strategy can do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spetrace.replay.counters import AbortRow, BlackoutRow, Details
from spetrace.replay.outcomes import Outcomes
from spetrace.replay.page_map import PageRange
from spetrace.replay.stage2 import vcpu_pin
from spetrace.replay.strategy import Abort, Resume
from spetrace.replay.vm import Vm

GUEST, ABORT, STAGE1, FULL = "none", "abort", "s1", "full"
"""Why PMBSR_EL1.S is set: by the guest itself, or the reasons of the SPU and KVM."""
_BEFORE_ALL_TIME = -(1 << 63)


class Vcpu:
    """Registers, write pointer and epoch of one vCPU, at its `cursor` in the log."""

    def __init__(
        self,
        vm: Vm,
        index: int,
        number: int,
        details: Details,
        outcomes: Outcomes,
        wake_at: Callable[[int, Vcpu], None],
    ) -> None:
        self.vm = vm
        self.number = number
        self.pin_bit = vcpu_pin(index)
        self.notes: dict[str, Any] = {}
        self.pointer = 0
        self.limit = 0
        self.enable = self.e0spe = self.e1spe = False
        self.service: str | None = None
        """PMBSR_EL1.S: None when clear, else why it is set."""
        self.blackout_until = _BEFORE_ALL_TIME
        self.written = 0
        """Records written in this epoch."""
        self.epoch = 0
        self.epoch_pinned = False
        self.now = 0
        self.pinned: list[PageRange] = []
        """Where this vCPU may hold pins."""
        self.walked: PageRange = (0, 0)
        """VA pages that the last pin buffer walked."""
        self.walked_changed = False
        """Whether the mapping of one of them was changed since."""
        self.outcomes = outcomes
        self._details = details
        self._wake_at = wake_at
        self._blackout: BlackoutRow | None = None
        self._abort: AbortRow | None = None

    # what strategies use

    @property
    def armed(self) -> bool:
        """Whether the buffer is live at some EL."""
        return self.enable and self.service is None and (self.e0spe or self.e1spe)

    @property
    def enabled_at_el1(self) -> bool:
        """Whether profiling is enabled at EL1, where register writes happen."""
        return self.enable and self.service is None and self.e1spe

    @property
    def buffer_bytes(self) -> int:
        """LIMIT - pointer; negative where the limit lies below."""
        return self.limit - self.pointer

    @property
    def buffer_pages(self) -> PageRange:
        """The VA pages with a byte in [pointer, LIMIT)."""
        size = self.vm.page_size
        if self.limit <= self.pointer:
            return (0, 0)
        return self.pointer // size, (self.limit - 1) // size + 1

    def charge(self, cost_ns: int) -> None:
        """Add to overhead_ns."""
        self.vm.counters.overhead_ns += cost_ns

    def wake_at(self, ts: int) -> None:
        """Ask for the strategy's `on_time` at `ts`."""
        self._wake_at(ts, self)

    def abort(self, decision: Abort, va: int | None = None, ipa: int | None = None) -> None:
        """Report an external abort to the guest."""
        counters = self.vm.counters
        counters.aborts_injected += 1
        counters.overhead_ns += self.vm.parameters.costs.vm_exit_ns
        row = AbortRow(self.vm.number, self.number, self.now, va, ipa, decision.reason)
        self._discard_last(decision.unsaved)
        row.records_discarded = decision.unsaved + self.lose_data()
        self._details.aborts.append(row)
        self.set_service(ABORT)
        self._abort = row

    def report_stage1_fault(self) -> None:
        """Tell the guest that its own stage 1 does not map the buffer."""
        self.vm.counters.stage1_faults += 1
        self.set_service(STAGE1)

    # what the engine uses

    def lose_data(self) -> int:
        """The epoch's written records are lost to data loss; how many were discarded."""
        count = self.written if self.vm.parameters.data_loss == "discard" else 0
        self._discard_last(count)
        return count

    def resume(self, decision: Resume, va: int, ipa: int | None) -> None:
        """Begin a blackout window at the vCPU's time."""
        costs, counters = self.vm.parameters.costs, self.vm.counters
        counters.blackouts += 1
        counters.blackout_ns += costs.irq_ns
        counters.overhead_ns += costs.vm_exit_ns + decision.cost_ns
        self.blackout_until = self.now + costs.irq_ns
        self._blackout = BlackoutRow(
            self.vm.number, self.number, self.now, self.blackout_until, decision.cause, va, ipa
        )
        self._details.blackouts.append(self._blackout)

    def lose_in_blackout(self, records: int) -> None:
        """Records that came within the blackout window."""
        self.vm.counters.lost_blackout += records
        if self._blackout is not None:
            self._blackout.records_lost += records

    def set_service(self, reason: str) -> None:
        """S := 1 for `reason`; the guest's own write keeps the reason that stands."""
        if reason != GUEST or self.service is None:
            self.service = reason

    def clear_service(self) -> None:
        """S := 0, and its reason with it."""
        if self.service == ABORT:
            self.count_stopped(self.now)
            if self._abort is not None:
                self._abort.stopped_until_ns = self.now
        self.service = None

    def count_stopped(self, now: int) -> None:
        """Count the time since the abort that holds now."""
        if self.service == ABORT and self._abort is not None:
            self.vm.counters.stopped_ns += now - self._abort.ts

    def begin_epoch(self) -> None:
        """Start counting anew: nothing written, not pinned."""
        self.epoch += 1
        self.written = 0
        self.epoch_pinned = False

    def end_epoch(self) -> None:
        """The written records reach the guest."""
        self.vm.counters.captured += self.written
        self.outcomes.capture()
        self.written = 0

    def _discard_last(self, records: int) -> None:
        self.vm.counters.discarded += records
        self.outcomes.discard_last(records)
        self.written -= records
