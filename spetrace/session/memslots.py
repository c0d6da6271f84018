"""Memslots: which host addresses back which IPAs of a VM, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.session.event_columns import EventColumns
from spetrace.session.event_run import Addresses, Integers
from spetrace.session.host_names import MEMSLOT, S2_MAP
from spetrace.session.host_trace import HostEvents, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.page_bounds import PageBounds

READ_ONLY: Final = 1 << 1
"""KVM_MEM_READONLY (include/uapi/linux/kvm.h)."""
_SLOTS_MAX: Final = (1 << 15) - 1
"""KVM_MEM_SLOTS_NUM, SHRT_MAX: KVM refuses higher slot numbers (include/linux/kvm_host.h)."""
_BYTES_MAX: Final = 1 << 47
"""KVM_MEM_MAX_NR_PAGES pages of 64 KiB: KVM refuses larger slots, and those that wrap around."""
_HITS_PER_RANGE: Final = 64
_TOP: Final = 1 << 64
ALWAYS: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Memslot:
    """One memslot while it is set: from `since` to `until`, places in the host trace."""

    hva: int
    ipa: int
    bytes: int
    read_only: bool = False
    since: int = -1
    until: int = ALWAYS
    flushed_ns: int | None = None
    """When it was deleted or moved, at `until`; KVM unmaps its pages then."""


def recorded_memslots(
    host: HostTrace, machines: Machines, pgt_vm: Mapping[int, int]
) -> tuple[dict[int, list[Memslot]], int]:
    """Per VM the memslots that the memslot probe saw set, and how many changes are nobody's.

    `pgt_vm` is the VM of each stage-2 page table.
    """
    changes = host[MEMSLOT]
    changes = changes.where(_is_possible(changes))
    vm = _vm_of_changes(changes, host, machines, pgt_vm)
    placed = changes.where(vm >= 0)
    slots: dict[int, list[Memslot]] = {}
    for number, slot in _lifetimes(placed, vm[vm >= 0]):
        slots.setdefault(number, []).append(slot)
    return slots, int((vm < 0).sum())


def _is_possible(changes: HostEvents) -> npt.NDArray[np.bool_]:
    """Which changes KVM accepts, of those that tell all that is needed."""
    size = changes.unsigned("size")
    possible = (changes.unsigned("slot") < _SLOTS_MAX) & (size <= _BYTES_MAX)
    for name in ("gpa", "hva"):
        possible &= changes.knows(name) & (size <= ~changes.unsigned(name))
    return possible & changes.knows("size")


def _lifetimes(changes: HostEvents, vm: npt.NDArray[np.int32]) -> list[tuple[int, Memslot]]:
    """Each slot that was set, until the next change of the same slot."""
    frame = pl.DataFrame(
        {
            "vm": vm,
            "hva": changes.unsigned("hva"),
            "ipa": changes.unsigned("gpa"),
            "bytes": changes.unsigned("size"),
            "read_only": (changes.unsigned("flags") & np.uint64(READ_ONLY)) != 0,
            "since": changes.order,
            "slot": changes.unsigned("slot"),
            "at_ns": changes.time_ns,
        }
    )
    following = pl.col("since", "bytes", "ipa", "at_ns").shift(-1).over("vm", "slot")
    frame = frame.with_columns(following.name.prefix("next_"))
    is_flushed = (pl.col("next_bytes") == 0) | (pl.col("next_ipa") != pl.col("ipa"))
    rows = frame.filter(pl.col("bytes") > 0).select(
        "vm", "hva", "ipa", "bytes", "read_only", "since",
        pl.col("next_since").fill_null(ALWAYS),
        pl.when(is_flushed).then("next_at_ns"),
    )  # fmt: skip
    return [(number, Memslot(*rest)) for number, *rest in rows.iter_rows()]


def _vm_of_changes(
    changes: HostEvents, host: HostTrace, machines: Machines, pgt_vm: Mapping[int, int]
) -> npt.NDArray[np.int32]:
    """The VM of each change: by process, the only one, or by where its pages are mapped; else -1."""
    if len(machines.vms) == 1:
        return np.full(len(changes), machines.vms[0].vm, np.int32)
    vm = np.full(len(changes), -1, np.int32)
    tgid = changes.tgid
    for machine in machines.vms:
        if machine.pid is not None:
            vm[tgid == machine.pid] = machine.vm
    if (vm >= 0).all():
        return vm
    mapped_in = _mapped_pages(host.columns(S2_MAP), pgt_vm)
    for thread in np.unique(changes.pid[vm < 0]).tolist():
        own = (vm < 0) & (changes.pid == thread)
        holders = _vms_within(changes.where(own), mapped_in)
        if len(holders) == 1:
            vm[own] = holders[0]
    return vm


def _mapped_pages(maps: EventColumns, pgt_vm: Mapping[int, int]) -> dict[int, Addresses]:
    """Per VM the distinct addresses that its page table maps."""
    tables = np.array(sorted(pgt_vm), np.uint64)
    vms = np.array([pgt_vm[table] for table in tables.tolist()], np.int32)
    mapped: dict[int, PageBounds] = {}
    for part in maps.parts():
        pgt, ipa = part.unsigned("pgt"), part.unsigned("ipa")
        known = np.isin(pgt, tables) & part.knows("ipa")
        vm, ipa = vms[np.searchsorted(tables, pgt[known])], ipa[known]
        by_vm = np.argsort(vm, kind="stable")
        numbers, starts = np.unique(vm[by_vm], return_index=True)
        pieces = np.split(ipa[by_vm], starts[1:])
        for number, own in zip(numbers.tolist(), pieces, strict=False):
            mapped.setdefault(number, PageBounds()).add(own)
    return {number: mapped[number].finish() for number in sorted(mapped)}


def _vms_within(changes: HostEvents, mapped: Mapping[int, Addresses]) -> list[int]:
    """The VMs all of whose mapped addresses lie in the slots that `changes` set."""
    start, size = changes.unsigned("gpa"), changes.unsigned("size")
    by_start = np.argsort(start, kind="stable")
    start = start[by_start]
    reach = np.maximum.accumulate(start + np.minimum(size[by_start], ~start))
    holders = []
    for vm, addresses in mapped.items():
        place = np.searchsorted(start, addresses, "right") - 1
        if len(addresses) and (place >= 0).all() and (addresses < reach[place]).all():
            holders.append(vm)
    return holders


class SlotTimes:
    """Slots by when they were set."""

    def __init__(self, slots: Sequence[Memslot]) -> None:
        self._slots = slots
        self._since = np.array([slot.since for slot in slots], np.int64)
        self._until = np.array([slot.until for slot in slots], np.int64)

    def between(self, order: Integers) -> Sequence[Memslot]:
        """Those that were set at any of these places, which are in order."""
        if not len(order):
            return ()
        found = np.flatnonzero((self._since <= order[-1]) & (self._until >= order[0]))
        return [self._slots[n] for n in found.tolist()]


@dataclass(frozen=True)
class PlacedRanges:
    """IPA ranges that host ranges back: places in the host trace, rows of the host's events."""

    row: Integers
    ipa: npt.NDArray[np.uint64]
    end: npt.NDArray[np.uint64]


def place_host_ranges(
    slots: Sequence[Memslot],
    order: Integers,
    first: npt.NDArray[np.uint64],
    end: npt.NDArray[np.uint64],
) -> PlacedRanges:
    """The IPAs that each host range [first, end) backs through the slots set at its time.

    `order` is sorted; `row` of the result counts in it, in order. Raises InputError where each
    range hits more slots than slots of one VM can share a host address.
    """
    rows, ipas, ends = [], [], []
    left = _HITS_PER_RANGE * len(order) + len(slots)
    for slot in slots:
        top = np.uint64(min(slot.hva + slot.bytes, _TOP - 1))
        low, high = np.searchsorted(order, [slot.since, slot.until])
        part = slice(low, high)
        hit = np.flatnonzero((first[part] < top) & (end[part] > np.uint64(slot.hva)))
        start = np.maximum(first[part][hit], np.uint64(slot.hva)) - np.uint64(slot.hva)
        stop = np.minimum(end[part][hit], top) - np.uint64(slot.hva)
        left -= len(hit)
        if left < 0:
            raise InputError("memslots", f"{len(slots)} slots overlap in host addresses")
        rows.append(hit + low)
        ipas.append(start + np.uint64(slot.ipa))
        ends.append(stop + np.uint64(slot.ipa))
    if not rows:
        return PlacedRanges(np.zeros(0, np.int64), *[np.zeros(0, np.uint64)] * 2)
    row = np.concatenate(rows)
    by_row = np.argsort(row, kind="stable")
    return PlacedRanges(row[by_row], np.concatenate(ipas)[by_row], np.concatenate(ends)[by_row])


def slot_bounds(
    slots: Sequence[Memslot], order: Integers, ipa: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Start and end of the slot that holds each IPA at its time; 0 and 0 where none does."""
    start, end = np.zeros(len(ipa), np.uint64), np.zeros(len(ipa), np.uint64)
    for slot in slots:
        top = np.uint64(min(slot.ipa + slot.bytes, _TOP - 1))
        low, high = np.searchsorted(order, [slot.since, slot.until])
        hit = np.flatnonzero((ipa[low:high] >= np.uint64(slot.ipa)) & (ipa[low:high] < top)) + low
        start[hit], end[hit] = np.uint64(slot.ipa), top
    return start, end
