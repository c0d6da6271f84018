"""The vCPUs' kvm_guest_fault events, each with what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
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
    """Row of the kvm_exit before the fault on its thread; NONE where a kvm_entry is between them."""
    entry_row: Integers
    """Row of the thread's next kvm_entry, or NONE."""
    is_mmio: npt.NDArray[np.bool_]
    """A kvm_mmio, kvm_mmio_emulate or kvm_mmio_nisv comes before that entry."""
    is_retried: npt.NDArray[np.bool_]
    """The vCPU's next fault is of the same page: KVM is taken to have mapped nothing."""
    is_denied_next: npt.NDArray[np.bool_]
    """That next fault is one of permission, which shows that KVM has mapped the page."""

    def __len__(self) -> int:
        return len(self.vm)

    @property
    def has_mapped(self) -> npt.NDArray[np.bool_]:
        """Whether KVM has served the fault by a mapping (of those that can be served so)."""
        mapped: npt.NDArray[np.bool_] = ~self.is_mmio & ~self.is_retried & (self.entry_row != NONE)
        return mapped

    @property
    def has_mapped_as_shown(self) -> npt.NDArray[np.bool_]:
        """`has_mapped`, and those faults whose mapping the vCPU's next fault shows."""
        shown = self.is_denied_next & ~self.is_mmio & (self.entry_row != NONE)
        mapped: npt.NDArray[np.bool_] = self.has_mapped | shown
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
    ipa, syndrome = events.unsigned("ipa"), events.unsigned("hsr")
    page, following = ipa // np.uint64(page_size), ThreadOrder(events).next_of(keys)
    is_retried = (following != NONE) & (page[following] == page)
    return GuestFaults(
        events,
        machines.vm_of(events.pid),
        machines.vcpu_of(events.pid),
        syndrome,
        ipa,
        _exits_before(host, keys),
        entry_row,
        _comes_before(host, keys, entry_order),
        is_retried,
        is_retried & esr.is_permission_fault(syndrome[following]),
    )


def _exits_before(host: HostTrace, keys: Integers) -> Integers:
    """The kvm_exit that each fault belongs to: none where it was lost and an entry comes before."""
    exits, entries = host[EXIT], host[ENTRY]
    row = ThreadOrder(exits).previous_of(keys)
    entered = taken(entries.order, ThreadOrder(entries).previous_of(keys), NONE)
    row[taken(exits.order, row, NONE) < entered] = NONE
    return row


def _comes_before(host: HostTrace, keys: Integers, entry_order: Integers) -> npt.NDArray[np.bool_]:
    """Whether an MMIO event comes on the thread before its next kvm_entry."""
    found = np.zeros(len(keys), bool)
    for name in MMIO:
        emulations = host[name]
        row = ThreadOrder(emulations).next_of(keys)
        found |= taken(emulations.order, row, NEVER) < entry_order
    return found
