"""MMU notifiers: host ranges that are unmapped, and the IPAs that a VM's memslots give for them.

kvm_unmap_hva_range comes before KVM looks for memslots, and names no process; kvm_set_spte_hva
(before Linux 6.10) replaces one page. A memslot that is deleted or moved is unmapped without either
(kvm_arch_flush_shadow_memslot, arch/arm64/kvm/mmu.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import (
    STAGE2_UNMAP,
    UNKNOWN_CAUSE,
    Addresses,
    EventRun,
    Integers,
    event_run,
)
from spetrace.session.host_events import HostRun, joined
from spetrace.session.host_names import SET_SPTE_HVA, UNMAP_HVA
from spetrace.session.host_trace import HostTrace
from spetrace.session.memslots import Memslot, place_host_ranges
from spetrace.session.page_range import end_page, first_page


@dataclass(frozen=True)
class Notifiers:
    """Host ranges [first, end) that notifiers unmap, in order."""

    order: Integers
    time_ns: Integers
    row: Addresses
    pid: npt.NDArray[np.int32]
    """The thread that changed the address space."""
    first: Addresses
    end: Addresses

    def __len__(self) -> int:
        return len(self.order)

    def thread_of(self, order: Integers) -> npt.NDArray[np.int32]:
        """The thread of the notifier at each place in the host trace; -1 where there is none."""
        if not len(self):
            return np.full(len(order), -1, np.int32)
        place = np.searchsorted(self.order, order).clip(max=len(self) - 1)
        return np.where(self.order[place] == order, self.pid[place], -1)


def read_notifiers(host: HostTrace, page_size: int) -> Notifiers:
    """All notifiers of a host's trace that change stage 2; aging ones do not."""
    ranges, pages = host[UNMAP_HVA], host[SET_SPTE_HVA]
    ranges = ranges.where(ranges.knows("start") & ranges.knows("end"))
    pages = pages.where(pages.knows("hva"))
    page = np.uint64(page_size)
    hva = pages.unsigned("hva") // page * page
    order = np.concatenate((ranges.order, pages.order))
    by_order = np.argsort(order)
    return Notifiers(
        order[by_order],
        np.concatenate((ranges.time_ns, pages.time_ns))[by_order],
        np.concatenate((ranges.row, pages.row))[by_order],
        np.concatenate((ranges.pid, pages.pid))[by_order],
        np.concatenate((ranges.unsigned("start"), hva))[by_order],
        np.concatenate((ranges.unsigned("end"), hva + page))[by_order],
    )


def unmaps_of_vm(
    notifiers: Notifiers, vm: int, slots: Sequence[Memslot], page_size: int
) -> HostRun:
    """What `slots` make one VM lose: by notifiers, and where a slot is deleted or moved."""
    found = place_host_ranges(slots, notifiers.order, notifiers.first, notifiers.end)
    notified = _unmaps(vm, notifiers.time_ns[found.row], found.ipa, found.end, page_size)
    notified = replace(notified, row=notifiers.row[found.row])
    gone = [slot for slot in slots if slot.flushed_ns is not None]
    flushed = _unmaps(
        vm,
        np.array([slot.flushed_ns for slot in gone], np.int64),
        np.array([slot.ipa for slot in gone], np.uint64),
        np.array([slot.ipa + slot.bytes for slot in gone], np.uint64),
        page_size,
    )
    order = np.array([slot.until for slot in gone], np.int64)
    return joined([HostRun(notifiers.order[found.row], notified), HostRun(order, flushed)])


def _unmaps(vm: int, times: Integers, ipa: Addresses, end: Addresses, page_size: int) -> EventRun:
    first = first_page(ipa, page_size)
    return event_run(
        times,
        STAGE2_UNMAP,
        vm=vm,
        value=UNKNOWN_CAUSE,
        ipa=first * np.uint64(page_size),
        pages=end_page(ipa, end - ipa, page_size) - first,
    )
