"""Stage 2 from probes on KVM's own page-table code (arch/arm64/kvm/hyp/pgtable.c, Linux 6.1 on).

s2_map, s2_unmap, s2_relax and s2_wp are kvm_pgtable_stage2_map, _unmap, _relax_perms and
_wrprotect; `pgt` names the VM.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_columns import EventColumns
from spetrace.session.event_run import (
    STAGE2_MAP,
    STAGE2_UNMAP,
    STAGE2_WRPROTECT,
    UNKNOWN_CAUSE,
    Addresses,
    Integers,
    event_run,
)
from spetrace.session.host_events import STAGE2_ROW, HostRun, run_of, stage2_rows
from spetrace.session.host_names import S2_MAP, S2_RELAX, S2_UNMAP, S2_WP
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.ordered_rows import in_order
from spetrace.session.page_bounds import PageBounds
from spetrace.session.page_range import end_page, first_page
from spetrace.session.page_sets import ADD, ADD_IF_ANY, REMOVE, PageSet
from spetrace.session.vm_rows import VmRows, places_of
from spetrace.spooled import AnyArray, Column, chunks, let_go, room

_PROT_W: Final = 1 << 1
"""KVM_PGTABLE_PROT_W (arch/arm64/include/asm/kvm_pgtable.h)."""
PROBES: Final = (S2_MAP, S2_UNMAP, S2_RELAX, S2_WP)


_ROW: Final = np.dtype([*STAGE2_ROW.descr, ("thread", np.int32)])
_NO: Final = np.bool_(False)


def page_table_vms(host: HostTrace, machines: Machines) -> dict[int, int]:
    """The VM of each stage-2 page table: the one on whose vCPU thread it was first mapped into."""
    found: dict[int, int] = {}
    for maps in host.columns(S2_MAP).parts():
        vm = machines.vm_of(maps.pid)
        own = (vm >= 0) & maps.knows("pgt")
        tables, first = np.unique(maps.unsigned("pgt")[own], return_index=True)
        found = {**dict(zip(tables.tolist(), vm[own][first].tolist(), strict=True)), **found}
    return dict(sorted(found.items()))


def unknown_table_events(host: HostTrace, pgt_vm: Mapping[int, int]) -> int:
    """How many probe events are of a page table that belongs to no VM."""
    known = np.fromiter(pgt_vm, np.uint64, len(pgt_vm))
    return sum(
        int((~(np.isin(part.unsigned("pgt"), known) & part.knows("pgt"))).sum())
        for probe in PROBES
        for part in host.columns(probe).parts()
    )


@dataclass(frozen=True)
class ProbedStage2:
    """The stage-2 events that probes tell of, and what was left out."""

    events: HostRun
    """All that the probes tell, in order."""
    is_left_out: npt.NDArray[np.bool_]
    without_table: int
    """Maps by a notifier where no table stands."""

    def parts(self) -> Iterator[HostRun]:
        """The events in order, a bounded number at a time."""
        for select in chunks(len(self.is_left_out)):
            yield self.events.part(select).part(~self.is_left_out[select])
            let_go(self.events.order, self.is_left_out)


def probed_stage2(
    host: HostTrace,
    machines: Machines,
    pgt_vm: Mapping[int, int],
    page_size: int,
    all_mapped: Container[int] = (),
) -> ProbedStage2:
    """Stage-2 events of the VMs that have a page table in `pgt_vm`, in whole pages.

    `all_mapped` are the VMs with every page mapped at the start.
    """
    gathered = Column(_ROW)
    for name in PROBES:
        for part in host.columns(name).parts():
            gathered.add(_rows(part, name, pgt_vm, page_size))
    rows = in_order(gathered.finish())
    (left_out,) = room(len(rows), _NO)
    fails = _Failures(rows, machines, page_size)
    for vm in fails.asking:
        fails.mark(vm, left_out, full=vm in all_mapped)
    without_table = 0
    for select in chunks(len(rows)):
        is_empty = rows["pages"][select] == 0
        without_table += int((left_out[select] & ~is_empty).sum())
        left_out[select] |= is_empty
        let_go(rows, left_out)
    return ProbedStage2(run_of(rows), left_out, without_table)


def _rows(events: EventColumns, name: str, pgt_vm: Mapping[int, int], page_size: int) -> AnyArray:
    known = np.array(sorted(pgt_vm), np.uint64)
    owned = np.isin(events.unsigned("pgt"), known) & events.knows("pgt") & events.knows("ipa")
    if name == S2_RELAX:
        owned &= _is_writable(events)
    events = events.part(owned)
    ipa = events.unsigned("ipa")
    size = np.ones(len(events), np.uint64) if name == S2_RELAX else events.unsigned("size")
    first = first_page(ipa, page_size)
    code, value = _meaning(events, name)
    vms = np.array([pgt_vm[t] for t in known.tolist()] or [0], np.uint16)
    run = event_run(
        events.time_ns,
        code,
        vm=vms[np.searchsorted(known, events.unsigned("pgt"))] if len(events) else 0,
        value=value,
        ipa=first * np.uint64(page_size),
        pages=np.where(size > 0, end_page(ipa, size, page_size) - first, 0),
        row=events.row,
    )
    rows = np.empty(len(events), _ROW)
    for column, values in _columns(stage2_rows(HostRun(events.order, run))):
        rows[column] = values
    rows["thread"] = events.pid
    return rows


def _columns(rows: AnyArray) -> Iterator[tuple[str, AnyArray]]:
    return ((name, rows[name]) for name in STAGE2_ROW.names or ())


def _meaning(events: EventColumns, name: str) -> tuple[int, Addresses | int]:
    if name == S2_UNMAP:
        return STAGE2_UNMAP, UNKNOWN_CAUSE
    if name == S2_WP:
        return STAGE2_WRPROTECT, 0
    return STAGE2_MAP, (_is_writable(events) | ~events.knows("prot")).astype(np.uint64)


def _is_writable(events: EventColumns) -> npt.NDArray[np.bool_]:
    writable: npt.NDArray[np.bool_] = (events.unsigned("prot") & np.uint64(_PROT_W)) != 0
    return writable


def last_level_table_bytes(page_size: int) -> int:
    """What one last-level table of 8-byte entries maps: 2 MiB for 4 KiB pages, 32 MiB, 512 MiB."""
    return page_size * (page_size // 8)


class _Failures:
    """Finds maps that find no last-level table, and so map nothing.

    A notifier (set_spte) maps without memory to allocate tables from: where no page of the range
    of that page's last-level table is mapped, there is none.
    """

    def __init__(self, rows: AnyArray, machines: Machines, page_size: int) -> None:
        self._rows = rows
        self._machines = machines
        self._page_size = np.uint64(page_size)
        self._table_pages = np.uint64(last_level_table_bytes(page_size) // page_size)
        self.asking = self._vms_that_ask()
        """The VMs that have such maps."""

    def mark(self, vm: int, failed: npt.NDArray[np.bool_], *, full: bool) -> None:
        """Mark one VM's in `failed`; `full` says whether every page is mapped at the start."""
        bounds = PageBounds()
        for _own, part in self._parts(vm):
            bounds.add(*self._ranges(part))
        pages = PageSet(bounds.finish(), full=full)
        for own, part in self._parts(vm):
            asks = self._asks(part)
            is_map = part["code"] == STAGE2_MAP
            steps = np.where(asks, ADD_IF_ANY, np.where(is_map, ADD, REMOVE)).astype(np.uint8)
            failed[own] = asks & ~pages.replay(steps, *self._ranges(part))
            let_go(failed)

    @cached_property
    def _by_vm(self) -> VmRows:
        return VmRows(self._rows["vm"])

    def _parts(self, vm: int) -> Iterator[tuple[Integers, AnyArray]]:
        """One VM's rows but those that write-protect, and their places."""
        for own in self._by_vm.of(vm):
            part = self._rows[own]
            counts = part["code"] != STAGE2_WRPROTECT
            yield places_of(own)[counts], part[counts]
            let_go(self._rows)

    def _ranges(self, part: AnyArray) -> tuple[Addresses, Addresses, Addresses, Addresses]:
        """First and end page of each range, and of the table of its first page."""
        first = part["ipa"] // self._page_size
        table = first // self._table_pages * self._table_pages
        return first, first + part["pages"], table, table + self._table_pages

    def _asks(self, part: AnyArray) -> npt.NDArray[np.bool_]:
        by_other = self._machines.vm_of(part["thread"]) < 0
        asks: npt.NDArray[np.bool_] = by_other & (part["code"] == STAGE2_MAP)
        return asks

    def _vms_that_ask(self) -> list[int]:
        found: set[int] = set()
        for select in chunks(len(self._rows)):
            part = self._rows[select]
            found.update(np.unique(part["vm"][self._asks(part)]).tolist())
            let_go(self._rows)
        return sorted(found)
