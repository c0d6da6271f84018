"""Whether a VM is seen from its start, so that its stage 2 is known to be empty."""

from __future__ import annotations

import numpy as np

from spetrace.arm import esr
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_trace import ENTRY, EXIT, HostTrace
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
    entries = host[ENTRY]
    keys = thread_keys(exits)[first]
    entry_order = taken(entries.order, ThreadOrder(entries).next_of(keys), NEVER)
    fetch = _is_fetch_without_stage1(faults, page_size)
    seen = set()
    for number, row, until in zip(numbers.tolist(), first.tolist(), entry_order, strict=True):
        order = faults.events.order
        after = fetch & (faults.events.pid == exits.pid[row])
        if (after & (order > exits.order[row]) & (order < until)).any():
            seen.add(number)
    return seen - {-1}


def _is_fetch_without_stage1(faults: GuestFaults, page_size: int) -> np.ndarray:
    page = np.uint64(page_size)
    same_page = faults.events.unsigned("hxfar") // page == faults.ipa // page
    known = faults.events.knows("hxfar")
    fetch: np.ndarray = (
        same_page & known & esr.is_fetch(faults.esr) & esr.is_translation_fault(faults.esr)
    )
    return fetch
