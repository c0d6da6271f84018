"""The vCPUs' kvm_guest_fault events, each with what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.host_trace import ENTRY, EXIT, GUEST_FAULT, MMIO, HostEvents, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.thread_order import NEVER, NONE, ThreadOrder, taken, thread_keys


@dataclass(frozen=True)
class GuestFaults:
    """Stage-2 faults taken by vCPUs, in order, as columns of one length."""

    events: HostEvents
    vm: npt.NDArray[np.int32]
    vcpu: npt.NDArray[np.int32]
    esr: Addresses
    ipa: Addresses
    exit_row: Integers
    """Row of the kvm_exit before the fault on its thread, or NONE."""
    entry_row: Integers
    """Row of the thread's next kvm_entry, or NONE."""
    is_mmio: npt.NDArray[np.bool_]
    """A kvm_mmio, kvm_mmio_emulate or kvm_mmio_nisv comes before that entry."""
    is_retried: npt.NDArray[np.bool_]
    """The vCPU's next fault is of the same page: KVM has mapped nothing."""

    def __len__(self) -> int:
        return len(self.vm)

    @property
    def has_mapped(self) -> npt.NDArray[np.bool_]:
        """Whether KVM has served the fault by a mapping (of those that can be served so)."""
        mapped: npt.NDArray[np.bool_] = ~self.is_mmio & ~self.is_retried & (self.entry_row != NONE)
        return mapped


def guest_faults(host: HostTrace, machines: Machines, page_size: int) -> GuestFaults:
    """All kvm_guest_fault events on vCPU threads that tell a syndrome and an IPA."""
    events = host[GUEST_FAULT]
    events = events.where(
        (machines.vm_of(events.pid) >= 0) & events.knows("hsr") & events.knows("ipa")
    )
    keys = thread_keys(events)
    entries = host[ENTRY]
    entry_row = ThreadOrder(entries).next_of(keys)
    entry_order = taken(entries.order, entry_row, NEVER)
    ipa = events.unsigned("ipa")
    return GuestFaults(
        events,
        machines.vm_of(events.pid),
        machines.vcpu_of(events.pid),
        events.unsigned("hsr"),
        ipa,
        ThreadOrder(host[EXIT]).previous_of(keys),
        entry_row,
        _comes_before(host, keys, entry_order),
        _same_page_next(events, keys, ipa // np.uint64(page_size)),
    )


def _comes_before(host: HostTrace, keys: Integers, entry_order: Integers) -> npt.NDArray[np.bool_]:
    """Whether an MMIO event comes on the thread before its next kvm_entry."""
    found = np.zeros(len(keys), bool)
    for name in MMIO:
        emulations = host[name]
        row = ThreadOrder(emulations).next_of(keys)
        found |= taken(emulations.order, row, NEVER) < entry_order
    return found


def _same_page_next(events: HostEvents, keys: Integers, page: Any) -> npt.NDArray[np.bool_]:
    row = ThreadOrder(events).next_of(keys)
    same: npt.NDArray[np.bool_] = (row != NONE) & (page[row] == page)
    return same
