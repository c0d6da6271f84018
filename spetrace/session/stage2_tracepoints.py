"""Stage 2 from the tracepoints alone: guest faults that map pages, MMU notifiers that unmap them.

kvm_guest_fault tells neither the size nor the permission of what was mapped, and
kvm_unmap_hva_range only host addresses; what is assumed in their place is section 4 of the session
rules. Sources: kvm_handle_guest_abort and user_mem_abort, arch/arm64/kvm/mmu.c, Linux 6.12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_run import (
    STAGE2_MAP,
    STAGE2_UNMAP,
    UNKNOWN_CAUSE,
    Addresses,
    Integers,
    event_run,
)
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun, joined
from spetrace.session.host_trace import ENTRY, SET_SPTE_HVA, UNMAP_HVA, HostTrace
from spetrace.session.memslots import Memslot, place_host_ranges, slot_bounds
from spetrace.session.page_range import end_page, first_page
from spetrace.session.page_sets import ADD, QUERY, REMOVE, replay_page_set
from spetrace.session.stage2_probes import last_level_table_bytes

_LAST_LEVEL: Final = 3


@dataclass(frozen=True)
class TracedStage2:
    """One VM's stage-2 events, and how many unmaps could not be placed for want of a memslot."""

    run: HostRun
    unplaced_unmaps: int


def traced_stage2(
    host: HostTrace,
    faults: GuestFaults,
    vm: int,
    slots: Sequence[Memslot],
    page_size: int,
    block_bytes: int | None = None,
) -> TracedStage2:
    """One VM's stage-2 events by the tracepoints; `block_bytes` sets what a block maps."""
    notified, unplaced = _unmaps(host, vm, slots, page_size)
    unmaps = joined([notified, _flushes(vm, slots, page_size)])
    maps = _maps(host, faults, vm, slots, unmaps, page_size, block_bytes)

    return TracedStage2(joined([unmaps, maps]), unplaced)


def _unmaps(
    host: HostTrace, vm: int, slots: Sequence[Memslot], page_size: int
) -> tuple[HostRun, int]:
    """stage2_unmap of the IPAs that the memslots give for the notifiers' host addresses."""
    ranges, pages = host[UNMAP_HVA], host[SET_SPTE_HVA]
    ranges = ranges.where(ranges.knows("start") & ranges.knows("end"))
    pages = pages.where(pages.knows("hva"))
    if not slots:
        return HostRun(np.zeros(0, np.int64), event_run([], 0)), len(ranges) + len(pages)
    page_mask = ~np.uint64(page_size - 1)
    hva = pages.unsigned("hva") & page_mask
    order = np.concatenate((ranges.order, pages.order))
    by_order = np.argsort(order)
    first = np.concatenate((ranges.unsigned("start"), hva))[by_order]
    end = np.concatenate((ranges.unsigned("end"), hva + np.uint64(page_size)))[by_order]
    times = np.concatenate((ranges.time_ns, pages.time_ns))[by_order]
    rows = np.concatenate((ranges.row, pages.row))[by_order]
    order = order[by_order]
    found = place_host_ranges(slots, order, first, end)
    low = first_page(found.ipa, page_size)
    run = event_run(
        times[found.row],
        STAGE2_UNMAP,
        vm=vm,
        value=UNKNOWN_CAUSE,
        ipa=low * np.uint64(page_size),
        pages=end_page(found.ipa, found.end - found.ipa, page_size) - low,
        row=rows[found.row],
    )
    return HostRun(order[found.row], run), 0


def _flushes(vm: int, slots: Sequence[Memslot], page_size: int) -> HostRun:
    """stage2_unmap of the slots that were deleted or moved (kvm_arch_flush_shadow_memslot)."""
    gone = [slot for slot in slots if slot.flushed_ns is not None]
    ipa = np.array([slot.ipa for slot in gone], np.uint64)
    size = np.array([slot.bytes for slot in gone], np.uint64)
    low = first_page(ipa, page_size)
    run = event_run(
        np.array([slot.flushed_ns for slot in gone], np.int64),
        STAGE2_UNMAP,
        vm=vm,
        value=UNKNOWN_CAUSE,
        ipa=low * np.uint64(page_size),
        pages=end_page(ipa, size, page_size) - low,
    )
    return HostRun(np.array([slot.until for slot in gone], np.int64), run)


def _maps(
    host: HostTrace,
    faults: GuestFaults,
    vm: int,
    slots: Sequence[Memslot],
    unmaps: HostRun,
    page_size: int,
    block_bytes: int | None,
) -> HostRun:
    """stage2_map, at the next kvm_entry, of what each fault that KVM served has mapped."""
    translation = esr.is_translation_fault(faults.esr)
    write = esr.is_permission_fault(faults.esr) & esr.write_not_read(faults.esr)
    own = np.flatnonzero((faults.vm == vm) & faults.has_mapped & (translation | write))
    first = first_page(faults.ipa[own], page_size)
    end = first + np.uint64(1)
    level = esr.fault_level(faults.esr[own])
    block = np.flatnonzero(translation[own] & (level < _LAST_LEVEL))
    if not block_bytes:
        paged = _is_paged(faults, vm, own[block], unmaps, page_size)
        block = block[~paged]
    size = block_bytes or last_level_table_bytes(page_size)
    order = faults.events.order[own[block]]
    first[block], end[block] = _blocks(slots, order, faults.ipa[own[block]], size, page_size)
    entries = host[ENTRY]
    entry = faults.entry_row[own]
    run = event_run(
        entries.time_ns[entry],
        STAGE2_MAP,
        vm=vm,
        value=1,
        ipa=first * np.uint64(page_size),
        pages=end - first,
        row=faults.events.row[own],
    )
    return HostRun(entries.order[entry], run)


def _blocks(
    slots: Sequence[Memslot], order: Integers, ipa: Addresses, size: int, page_size: int
) -> tuple[Addresses, Addresses]:
    """The aligned range around each IPA within its memslot, or whole where no memslot is known."""
    start = ipa // np.uint64(size) * np.uint64(size)
    stop = start + np.uint64(size)
    low, high = slot_bounds(slots, order, ipa)
    known = high > 0
    start = np.where(known, np.maximum(start, low), start)
    stop = np.where(known, np.minimum(stop, high), stop)
    return first_page(start, page_size), end_page(start, stop - start, page_size)


def _is_paged(
    faults: GuestFaults, vm: int, asking: Integers, unmaps: HostRun, page_size: int
) -> npt.NDArray[np.bool_]:
    """For which faults a level-3 fault comes later in their range, before an unmap that touches it.

    Told from the end: a set of ranges holds those whose next event is a level-3 fault.
    """
    table = np.uint64(last_level_table_bytes(page_size))
    level3 = np.flatnonzero((faults.vm == vm) & (esr.fault_level(faults.esr) == _LAST_LEVEL))
    unmap_first = unmaps.run.ipa // table
    unmap_end = (unmaps.run.ipa + (unmaps.run.pages * np.uint64(page_size) - np.uint64(1))) // table
    parts: Mapping[int, Any] = {
        QUERY: (faults.events.order[asking], faults.ipa[asking] // table),
        ADD: (faults.events.order[level3], faults.ipa[level3] // table),
        REMOVE: (unmaps.order, unmap_first),
    }
    order = np.concatenate([p[0] for p in parts.values()])
    first = np.concatenate([p[1] for p in parts.values()])
    end = np.concatenate((first[: len(asking) + len(level3)], unmap_end)) + np.uint64(1)
    steps = np.repeat(
        np.array(list(parts), np.uint8), [len(asking), len(level3), len(unmaps.order)]
    )
    backwards = np.argsort(-order, kind="stable")
    found = replay_page_set(steps[backwards], *(a[backwards] for a in (first, end, first, end)))
    paged = np.zeros(len(order), bool)
    paged[backwards] = found
    return paged[: len(asking)]
