"""Whether a VM is seen from its start, so that its stage 2 is known to be empty."""

from __future__ import annotations

import numpy as np

from spetrace.arm import esr
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_trace import ENTRY, EXIT, HostEvents, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.thread_order import NEVER, ThreadOrder, taken, thread_keys


def vms_seen_from_start(
    host: HostTrace, machines: Machines, faults: GuestFaults, page_size: int
) -> set[int]:
    """The VMs whose first kvm_exit is an instruction fetch of a guest with stage 1 still off.

    That is: before the vCPU's next kvm_entry comes a kvm_guest_fault, an instruction abort with a
    translation fault, whose hxfar and ipa lie in one page.
    """
    exits = host[EXIT]
    vm = machines.vm_of(exits.pid)
    numbers, first = np.unique(vm, return_index=True)
    starts = thread_keys(exits)[first]
    entries, fetches = host[ENTRY], _fetches_without_stage1(faults, page_size)
    entry_order = taken(entries.order, ThreadOrder(entries).next_of(starts), NEVER)
    fetch_order = taken(fetches.order, ThreadOrder(fetches).next_of(starts), NEVER)
    return set(numbers[fetch_order < entry_order].tolist()) - {-1}


def _fetches_without_stage1(faults: GuestFaults, page_size: int) -> HostEvents:
    page = np.uint64(page_size)
    same_page = faults.events.unsigned("hxfar") // page == faults.ipa // page
    return faults.events.where(
        same_page
        & faults.events.knows("hxfar")
        & esr.is_fetch(faults.esr)
        & esr.is_translation_fault(faults.esr)
    )
