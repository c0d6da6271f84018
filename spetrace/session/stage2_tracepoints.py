"""Stage 2 from the tracepoints alone: guest faults that map pages, MMU notifiers that unmap them.

kvm_guest_fault tells neither the size nor the permission of what was mapped, and
kvm_unmap_hva_range only host addresses; what is assumed in their place is section 4 of the session
rules. Sources: kvm_handle_guest_abort and user_mem_abort, arch/arm64/kvm/mmu.c, Linux 6.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_run import STAGE2_MAP, Addresses, Integers, event_run
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun, joined
from spetrace.session.host_trace import HostTrace
from spetrace.session.memslots import Memslot, slot_bounds
from spetrace.session.notifiers import read_notifiers, unmaps_of_vm
from spetrace.session.page_range import end_page, first_page
from spetrace.session.page_sets import ADD, QUERY, REMOVE, replay_page_set
from spetrace.session.read_only_maps import MappedRanges, read_only_maps
from spetrace.session.stage2_probes import last_level_table_bytes

Mask = npt.NDArray[np.bool_]
_LAST_LEVEL: Final = 3


class TracedStage2:
    """Makes each VM's stage-2 events from the tracepoints of one host trace."""

    def __init__(
        self,
        host: HostTrace,
        faults: GuestFaults,
        page_size: int,
        *,
        infer_read_only: bool = False,
    ) -> None:
        """`infer_read_only`: mappings are writable but where the trace shows the contrary."""
        self._faults = faults
        self._page_size = page_size
        self._infer_read_only = infer_read_only
        self._level = esr.fault_level(faults.esr)
        self._is_translation = esr.is_translation_fault(faults.esr)
        write = esr.is_permission_fault(faults.esr) & esr.write_not_read(faults.esr)
        mapped = faults.has_mapped_as_shown if infer_read_only else faults.has_mapped
        self._is_served = mapped & (self._is_translation | write)
        self._by_vm = np.argsort(faults.vm, kind="stable")
        self.notifiers = read_notifiers(host, page_size)

    def of_vm(self, vm: int, slots: Sequence[Memslot], block_bytes: int | None = None) -> HostRun:
        """One VM's events; `block_bytes` sets what a fault above the last level maps."""
        unmaps = unmaps_of_vm(self.notifiers, vm, slots, self._page_size)
        return joined([unmaps, self._maps(vm, slots, unmaps, block_bytes)])

    def _maps(
        self, vm: int, slots: Sequence[Memslot], unmaps: HostRun, block_bytes: int | None
    ) -> HostRun:
        """stage2_map, at the next kvm_entry, of what each fault that KVM served has mapped."""
        faults = self._faults
        low, high = np.searchsorted(faults.vm[self._by_vm], [vm, vm + 1])
        own = self._by_vm[low:high]
        served = own[self._is_served[own]]
        first = first_page(faults.ipa[served], self._page_size)
        end = first + np.uint64(1)
        is_block = self._level[served] < _LAST_LEVEL
        if not self._infer_read_only:
            is_block &= self._is_translation[served]
        if not block_bytes:
            is_block[is_block] = ~self._are_paged(served[is_block], own, unmaps)
        first[is_block], end[is_block] = self._blocks(served[is_block], slots, block_bytes)
        writable: Mask | int = 1
        if self._infer_read_only:
            ranges = MappedRanges(served, first, end)
            writable = ~read_only_maps(faults, own, ranges, unmaps, self.notifiers, self._page_size)
        run = event_run(
            faults.entry_ns[served],
            STAGE2_MAP,
            vm=vm,
            value=writable,
            ipa=first * np.uint64(self._page_size),
            pages=end - first,
            row=faults.events.row[served],
        )
        return HostRun(faults.entry_order[served], run)

    def _blocks(
        self, served: Integers, slots: Sequence[Memslot], block_bytes: int | None
    ) -> tuple[Addresses, Addresses]:
        """The aligned range around each fault within its memslot, whole where none is known."""
        size = np.uint64(block_bytes or last_level_table_bytes(self._page_size))
        ipa, order = self._faults.ipa[served], self._faults.events.order[served]
        start = ipa // size * size
        stop = start + size
        low, high = slot_bounds(slots, order, ipa)
        start = np.where(high > 0, np.maximum(start, low), start)
        stop = np.where(high > 0, np.minimum(stop, high), stop)
        return first_page(start, self._page_size), end_page(start, stop - start, self._page_size)

    def _are_paged(self, asking: Integers, own: Integers, unmaps: HostRun) -> Mask:
        """For which faults a level-3 fault of the VM (its faults are `own`) comes later in their
        range, before an unmap that touches it.

        Told from the end: a set of ranges holds those whose next event is a level-3 fault.
        """
        page, table = (
            np.uint64(n) for n in (self._page_size, last_level_table_bytes(self._page_size))
        )
        level3 = own[self._level[own] == _LAST_LEVEL]
        asked = np.concatenate((asking, level3))
        last_byte = unmaps.run.ipa + (unmaps.run.pages * page - np.uint64(1))
        order = np.concatenate((self._faults.events.order[asked], unmaps.order))
        first = np.concatenate((self._faults.ipa[asked], unmaps.run.ipa)) // table
        last = np.concatenate((self._faults.ipa[asked], last_byte)) // table
        counts = (len(asking), len(level3), len(unmaps.order))
        steps = np.repeat(np.array([QUERY, ADD, REMOVE], np.uint8), counts)
        backwards = np.argsort(-order, kind="stable")
        ranges = (first[backwards], last[backwards] + np.uint64(1))
        found = np.zeros(len(order), bool)
        found[backwards] = replay_page_set(steps[backwards], *ranges, *ranges)
        return found[: len(asking)]
