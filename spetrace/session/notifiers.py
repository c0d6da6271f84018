"""MMU notifiers: host ranges that are unmapped, and the IPAs that a VM's memslots give for them.

kvm_unmap_hva_range comes before KVM looks for memslots, and names no process; kvm_set_spte_hva
(before Linux 6.10) replaces one page. A memslot that is deleted or moved is unmapped without either
(kvm_arch_flush_shadow_memslot, arch/arm64/kvm/mmu.c).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_columns import EventColumns
from spetrace.session.event_run import (
    STAGE2_UNMAP,
    UNKNOWN_CAUSE,
    Addresses,
    EventRun,
    Integers,
    event_run,
)
from spetrace.session.host_events import HostRun, in_recorded_order
from spetrace.session.host_names import SET_SPTE_HVA, UNMAP_HVA
from spetrace.session.host_trace import HostTrace
from spetrace.session.memslots import Memslot, SlotTimes, place_host_ranges
from spetrace.session.ordered_rows import in_order
from spetrace.session.page_range import end_page, first_page
from spetrace.spooled import AnyArray, Column, chunks, let_go

_ROW: Final = np.dtype(
    [
        ("order", np.int64),
        ("time_ns", np.int64),
        ("row", np.uint64),
        ("pid", np.int32),
        ("first", np.uint64),
        ("end", np.uint64),
    ]
)


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

    def part(self, select: slice) -> Notifiers:
        """Some of them."""
        return Notifiers(*(getattr(self, f.name)[select] for f in fields(self)))

    def thread_of(self, order: Integers) -> npt.NDArray[np.int32]:
        """The thread of the notifier at each place in the host trace; -1 where there is none."""
        if not len(self):
            return np.full(len(order), -1, np.int32)
        place = np.searchsorted(self.order, order).clip(max=len(self) - 1)
        return np.where(self.order[place] == order, self.pid[place], -1)


def read_notifiers(host: HostTrace, page_size: int) -> Notifiers:
    """All notifiers of a host's trace that change stage 2; aging ones do not."""
    rows = Column(_ROW)
    for part in host.columns(UNMAP_HVA).parts():
        ranges = part.part(part.knows("start") & part.knows("end"))
        rows.add(_rows(ranges, ranges.unsigned("start"), ranges.unsigned("end")))
    page = np.uint64(page_size)
    for part in host.columns(SET_SPTE_HVA).parts():
        pages = part.part(part.knows("hva"))
        hva = pages.unsigned("hva") // page * page
        rows.add(_rows(pages, hva, hva + page))
    ordered = in_order(rows.finish())
    return Notifiers(*(ordered[f.name] for f in fields(Notifiers)))


def _rows(events: EventColumns, first: Addresses, end: Addresses) -> AnyArray:
    rows = np.empty(len(events), _ROW)
    for name in ("order", "time_ns", "row", "pid"):
        rows[name] = getattr(events, name)
    rows["first"], rows["end"] = first, end
    return rows


class VmUnmaps:
    """What `slots` make one VM lose: by notifiers, and where a slot is deleted or moved."""

    def __init__(
        self, notifiers: Notifiers, vm: int, slots: Sequence[Memslot], page_size: int
    ) -> None:
        self._notifiers = notifiers
        self._vm = vm
        self._slots = SlotTimes(slots)
        self._page_size = page_size
        self._flushed = self._flushes([slot for slot in slots if slot.flushed_ns is not None])

    def parts(self, *, backwards: bool = False) -> Iterator[HostRun]:
        """All of them in order, a bounded number at a time; `backwards`: from the end on."""
        selects = list(chunks(len(self._notifiers))) or [slice(0, 0)]
        for select in reversed(selects) if backwards else selects:
            found = in_recorded_order([self._notified(select), self._flushed_at(select)])
            yield found.part(slice(None, None, -1)) if backwards else found
            let_go(self._notifiers.order)

    def _notified(self, select: slice) -> HostRun:
        part = self._notifiers.part(select)
        slots = self._slots.between(part.order)
        found = place_host_ranges(slots, part.order, part.first, part.end)
        run = self._unmaps(part.time_ns[found.row], found.ipa, found.end)
        return HostRun(part.order[found.row], replace(run, row=part.row[found.row]))

    def _flushed_at(self, select: slice) -> HostRun:
        """The pages of deleted slots, from the first of these notifiers to the next ones."""
        order, places = self._flushed.order, self._notifiers.order
        low = places[select.start] if select.start else -1
        high = places[select.stop] if select.stop < len(places) else np.iinfo(np.int64).max
        return self._flushed.part((order >= low) & (order < high))

    def _flushes(self, gone: Sequence[Memslot]) -> HostRun:
        run = self._unmaps(
            np.array([slot.flushed_ns for slot in gone], np.int64),
            np.array([slot.ipa for slot in gone], np.uint64),
            np.array([slot.ipa + slot.bytes for slot in gone], np.uint64),
        )
        return HostRun(np.array([slot.until for slot in gone], np.int64), run)

    def _unmaps(self, times: Integers, ipa: Addresses, end: Addresses) -> EventRun:
        first = first_page(ipa, self._page_size)
        return event_run(
            times,
            STAGE2_UNMAP,
            vm=self._vm,
            value=UNKNOWN_CAUSE,
            ipa=first * np.uint64(self._page_size),
            pages=end_page(ipa, end - ipa, self._page_size) - first,
        )
