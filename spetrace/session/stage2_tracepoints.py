"""Stage 2 from the tracepoints alone: guest faults that map pages, MMU notifiers that unmap them.

kvm_guest_fault tells neither the size nor the permission of what was mapped, and
kvm_unmap_hva_range only host addresses; what is assumed in their place is section 4 of the session
rules. Sources: kvm_handle_guest_abort and user_mem_abort, arch/arm64/kvm/mmu.c, Linux 6.12.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_run import STAGE2_MAP, Addresses, Integers, event_run
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun, joined
from spetrace.session.host_trace import HostTrace
from spetrace.session.memslots import Memslot, SlotTimes, slot_bounds
from spetrace.session.notifiers import VmUnmaps, read_notifiers
from spetrace.session.page_range import end_page, first_page
from spetrace.session.paged_blocks import LAST_LEVEL, paged_blocks
from spetrace.session.read_only_maps import MappedRanges, read_only_maps
from spetrace.session.stage2_probes import last_level_table_bytes
from spetrace.session.vm_rows import places_of

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Maps:
    """stage2_map events, and what the faults map that they are of."""

    run: HostRun
    ranges: MappedRanges


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
        self.notifiers = read_notifiers(host, page_size)

    def of_vm(
        self, vm: int, slots: Sequence[Memslot], block_bytes: int | None = None
    ) -> Iterator[HostRun]:
        """One VM's events, unmaps first; `block_bytes` sets what a fault above the last level maps.

        A bounded number at a time, but where the permission of mappings is inferred.
        """
        unmaps = VmUnmaps(self.notifiers, vm, slots, self._page_size)
        yield from unmaps.parts()
        maps = self._maps(vm, SlotTimes(slots), unmaps, block_bytes)
        if self._infer_read_only:
            yield self._permitted(vm, list(maps), unmaps)
        else:
            yield from (part.run for part in maps)

    def _maps(
        self, vm: int, slots: SlotTimes, unmaps: VmUnmaps, block_bytes: int | None
    ) -> Iterator[_Maps]:
        """stage2_map, at the next kvm_entry, of what each fault that KVM served has mapped."""
        faults = self._faults
        paged = None
        if not block_bytes:
            paged = paged_blocks(faults, vm, unmaps, self._maps_block, self._page_size)
        for rows in faults.by_vm.of(vm):
            own = faults.part(rows)
            served = np.flatnonzero(self._is_served(own))
            is_block = self._is_block(own)[served]
            if paged is not None:
                is_block &= ~paged[rows][served]
            yield self._map(
                vm, own.part(served), places_of(rows)[served], is_block, slots, block_bytes
            )
            faults.let_go()

    def _map(
        self,
        vm: int,
        served: GuestFaults,
        rows: Integers,
        is_block: Mask,
        slots: SlotTimes,
        block_bytes: int | None,
    ) -> _Maps:
        first = first_page(served.ipa, self._page_size)
        end = first + np.uint64(1)
        first[is_block], end[is_block] = self._blocks(served.part(is_block), slots, block_bytes)
        run = event_run(
            served.entry_ns,
            STAGE2_MAP,
            vm=vm,
            value=1,
            ipa=first * np.uint64(self._page_size),
            pages=end - first,
            row=served.events.row,
        )
        return _Maps(HostRun(served.entry_order, run), MappedRanges(rows, first, end))

    def _is_served(self, faults: GuestFaults) -> Mask:
        write = esr.is_permission_fault(faults.esr) & esr.write_not_read(faults.esr)
        mapped = faults.has_mapped_as_shown if self._infer_read_only else faults.has_mapped
        served: Mask = mapped & (esr.is_translation_fault(faults.esr) | write)
        return served

    def _is_block(self, faults: GuestFaults) -> Mask:
        """Which of them, where KVM served them, can have mapped a block."""
        is_block: Mask = esr.fault_level(faults.esr) < LAST_LEVEL
        if not self._infer_read_only:
            is_block &= esr.is_translation_fault(faults.esr)
        return is_block

    def _maps_block(self, faults: GuestFaults) -> Mask:
        return self._is_served(faults) & self._is_block(faults)

    def _blocks(
        self, served: GuestFaults, slots: SlotTimes, block_bytes: int | None
    ) -> tuple[Addresses, Addresses]:
        """The aligned range around each fault within its memslot, whole where none is known."""
        size = np.uint64(block_bytes or last_level_table_bytes(self._page_size))
        ipa, order = served.ipa, served.events.order
        start = ipa // size * size
        stop = start + size
        low, high = slot_bounds(slots.between(order), order, ipa)
        start = np.where(high > 0, np.maximum(start, low), start)
        stop = np.where(high > 0, np.minimum(stop, high), stop)
        return first_page(start, self._page_size), end_page(start, stop - start, self._page_size)

    def _permitted(self, vm: int, maps: Sequence[_Maps], unmaps: VmUnmaps) -> HostRun:
        """The maps, read-only where the trace shows it."""
        both = joined([part.run for part in maps])
        ranges = MappedRanges.joined([part.ranges for part in maps])
        own = [places_of(rows) for rows in self._faults.by_vm.of(vm)]
        is_read_only = read_only_maps(
            self._faults,
            np.concatenate([np.zeros(0, np.int64), *own]),
            ranges,
            joined(list(unmaps.parts())),
            self.notifiers,
            self._page_size,
        )
        return replace(both, run=replace(both.run, value=(~is_read_only).astype(np.uint64)))
