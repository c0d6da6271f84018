"""The vCPUs' kvm_guest_fault events, each with what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_run import Addresses, Integers
from spetrace.session.host_trace import HostEvents, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.track_kernel import NONE


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
    entry_order: Integers
    """Place of the thread's next kvm_entry, or NONE."""
    entry_ns: Integers
    """Its time, where there is one."""
    handled_ns: Integers
    """From that exit to that entry, where `is_handled`: where they are a pair."""
    is_handled: npt.NDArray[np.bool_]
    is_mmio: npt.NDArray[np.bool_]
    """A kvm_mmio, kvm_mmio_emulate or kvm_mmio_nisv comes before that entry."""
    is_retried: npt.NDArray[np.bool_]
    """The vCPU's next fault is of the same page: KVM is taken to have mapped nothing."""
    is_denied_next: npt.NDArray[np.bool_]
    """That next fault is one of permission, which shows that KVM has mapped the page."""

    def __len__(self) -> int:
        return len(self.vm)

    def part(self, rows: slice) -> GuestFaults:
        """Some of them."""
        columns = (getattr(self, f.name)[rows] for f in fields(self)[1:])
        return GuestFaults(HostEvents(self.events.frame[rows]), *columns)

    @property
    def has_mapped(self) -> npt.NDArray[np.bool_]:
        """Whether KVM has served the fault by a mapping (of those that can be served so)."""
        entered = self.entry_order != NONE
        mapped: npt.NDArray[np.bool_] = ~self.is_mmio & ~self.is_retried & entered
        return mapped

    @property
    def has_mapped_as_shown(self) -> npt.NDArray[np.bool_]:
        """`has_mapped`, and those faults whose mapping the vCPU's next fault shows."""
        shown = self.is_denied_next & ~self.is_mmio & (self.entry_order != NONE)
        mapped: npt.NDArray[np.bool_] = self.has_mapped | shown
        return mapped


def guest_faults(host: HostTrace, machines: Machines, page_size: int) -> GuestFaults:
    """All kvm_guest_fault events on vCPU threads that tell a syndrome and an IPA."""
    events, tracks = host.faults, host.tracks.faults
    retried, denied = _next_of_same_page(events, tracks.following, page_size)
    vm = machines.vm_of(events.pid)
    own = slice(None) if (vm >= 0).all() else np.flatnonzero(vm >= 0)
    events = events if isinstance(own, slice) else events.where(vm >= 0)
    return GuestFaults(
        events,
        vm[own],
        machines.vcpu_of(events.pid),
        events.unsigned("hsr"),
        events.unsigned("ipa"),
        tracks.exit_row[own],
        tracks.entry_order[own],
        tracks.entry_ns[own],
        tracks.handled_ns[own],
        tracks.is_handled[own],
        tracks.is_mmio[own],
        retried[own],
        denied[own],
    )


def _next_of_same_page(
    events: HostEvents, following: Integers, page_size: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether the thread's next fault is of the same page, and one of permission on it."""
    page = events.unsigned("ipa") // np.uint64(page_size)
    is_retried = (following != NONE) & (page[following] == page)
    return is_retried, is_retried & esr.is_permission_fault(events.unsigned("hsr")[following])
