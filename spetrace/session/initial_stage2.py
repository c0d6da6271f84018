"""Whether a VM is seen from its start, so that its stage 2 is known to be empty."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.thread_order import NEVER, keys_of
from spetrace.session.track_kernel import NONE


def vms_seen_from_start(
    host: HostTrace, machines: Machines, faults: GuestFaults, page_size: int
) -> set[int]:
    """The VMs whose first kvm_exit is an instruction fetch of a guest with stage 1 still off.

    That is: before the vCPU's next kvm_entry comes a kvm_guest_fault, an instruction abort with a
    translation fault, whose hxfar and ipa lie in one page.
    """
    firsts = host.tracks.firsts
    vm = machines.vm_of(firsts.thread)
    exits = np.flatnonzero((vm >= 0) & (firsts.exit_order != NONE))
    exits = exits[np.argsort(firsts.exit_order[exits])]
    _numbers, first = np.unique(vm[exits], return_index=True)
    starts = exits[first]
    entry = firsts.entry_after_exit[starts]
    until = np.where(entry == NONE, NEVER, entry)
    first_keys = keys_of(firsts.thread[starts], firsts.exit_order[starts])
    until_keys = keys_of(firsts.thread[starts], until)
    is_seen = np.zeros(len(starts), np.bool_)
    for part in faults.parts() if len(starts) else ():
        events = part.events.part(_are_without_stage1(part, page_size))
        keys = np.sort(keys_of(events.pid, events.order))
        is_seen |= np.searchsorted(keys, first_keys) < np.searchsorted(keys, until_keys)
    return set(vm[starts[is_seen]].tolist())


def _are_without_stage1(faults: GuestFaults, page_size: int) -> npt.NDArray[np.bool_]:
    """Which faults are instruction fetches at an address that is its own IPA."""
    page = np.uint64(page_size)
    same_page = faults.events.unsigned("hxfar") // page == faults.ipa // page
    fetches: npt.NDArray[np.bool_] = (
        same_page
        & faults.events.knows("hxfar")
        & esr.is_fetch(faults.esr)
        & esr.is_translation_fault(faults.esr)
    )
    return fetches
