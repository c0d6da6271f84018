"""Stage 2 from probes on KVM's own page-table code (arch/arm64/kvm/hyp/pgtable.c, Linux 6.1 on).

s2_map, s2_unmap, s2_relax and s2_wp are kvm_pgtable_stage2_map, _unmap, _relax_perms and
_wrprotect; `pgt` names the VM.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import (
    STAGE2_MAP,
    STAGE2_UNMAP,
    STAGE2_WRPROTECT,
    UNKNOWN_CAUSE,
    Addresses,
    EventRun,
    concatenated,
    event_run,
)
from spetrace.session.host_events import HostRun
from spetrace.session.host_names import S2_MAP, S2_RELAX, S2_UNMAP, S2_WP
from spetrace.session.host_trace import HostEvents, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.page_range import end_page, first_page
from spetrace.session.page_sets import ADD, ADD_IF_ANY, REMOVE, replay_page_set

_PROT_W: Final = 1 << 1
"""KVM_PGTABLE_PROT_W (arch/arm64/include/asm/kvm_pgtable.h)."""
PROBES: Final = (S2_MAP, S2_UNMAP, S2_RELAX, S2_WP)


def page_table_vms(host: HostTrace, machines: Machines) -> dict[int, int]:
    """The VM of each stage-2 page table: the one on whose vCPU thread it was first mapped into."""
    maps = host[S2_MAP]
    vm = machines.vm_of(maps.pid)
    own = (vm >= 0) & maps.knows("pgt")
    tables, first = np.unique(maps.unsigned("pgt")[own], return_index=True)
    return dict(zip(tables.tolist(), vm[own][first].tolist(), strict=True))


def unknown_table_events(host: HostTrace, pgt_vm: Mapping[int, int]) -> int:
    """How many probe events are of a page table that belongs to no VM."""
    known = np.fromiter(pgt_vm, np.uint64, len(pgt_vm))
    return sum(
        int((~(np.isin(host[p].unsigned("pgt"), known) & host[p].knows("pgt"))).sum())
        for p in PROBES
    )


@dataclass(frozen=True)
class ProbedStage2:
    """The stage-2 events that probes tell of, and what was left out."""

    run: HostRun
    without_table: int
    """Maps by a notifier where no table stands."""


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
    parts = [_part(host[name], name, pgt_vm, page_size) for name in PROBES]
    order = np.concatenate([p.order for p in parts])
    by_order = np.argsort(order)
    run = concatenated([p.run for p in parts]).part(by_order)
    threads = np.concatenate([p.thread for p in parts])[by_order]
    kept = run.pages > 0
    kept &= ~_fails(run, machines.vm_of(threads) < 0, page_size, all_mapped)
    return ProbedStage2(
        HostRun(order[by_order][kept], run.part(kept)), int(((run.pages > 0) & ~kept).sum())
    )


@dataclass(frozen=True)
class _Part:
    order: npt.NDArray[np.int64]
    thread: npt.NDArray[np.int32]
    run: EventRun


def _part(events: HostEvents, name: str, pgt_vm: Mapping[int, int], page_size: int) -> _Part:
    known = np.array(sorted(pgt_vm), np.uint64)
    owned = np.isin(events.unsigned("pgt"), known) & events.knows("pgt") & events.knows("ipa")
    if name == S2_RELAX:
        owned &= _is_writable(events)
    events = events.where(owned)
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
    return _Part(events.order, events.pid, run)


def _meaning(events: HostEvents, name: str) -> tuple[int, Addresses | int]:
    if name == S2_UNMAP:
        return STAGE2_UNMAP, UNKNOWN_CAUSE
    if name == S2_WP:
        return STAGE2_WRPROTECT, 0
    return STAGE2_MAP, (_is_writable(events) | ~events.knows("prot")).astype(np.uint64)


def _is_writable(events: HostEvents) -> npt.NDArray[np.bool_]:
    writable: npt.NDArray[np.bool_] = (events.unsigned("prot") & np.uint64(_PROT_W)) != 0
    return writable


def last_level_table_bytes(page_size: int) -> int:
    """What one last-level table of 8-byte entries maps: 2 MiB for 4 KiB pages, 32 MiB, 512 MiB."""
    return page_size * (page_size // 8)


def _fails(
    run: EventRun,
    by_other_thread: npt.NDArray[np.bool_],
    page_size: int,
    all_mapped: Container[int],
) -> npt.NDArray[np.bool_]:
    """Which maps find no last-level table, and so map nothing.

    A notifier (set_spte) maps without memory to allocate tables from: where no page of the range
    of that page's last-level table is mapped, there is none.
    """
    fails = np.zeros(len(run), bool)
    is_map = run.code == STAGE2_MAP
    for vm in np.unique(run.vm[by_other_thread & is_map]).tolist():
        own = np.flatnonzero((run.vm == vm) & (run.code != STAGE2_WRPROTECT))
        asks = by_other_thread[own] & is_map[own]
        steps = np.where(asks, ADD_IF_ANY, np.where(is_map[own], ADD, REMOVE)).astype(np.uint8)
        first = run.ipa[own] // np.uint64(page_size)
        table_pages = np.uint64(last_level_table_bytes(page_size) // page_size)
        table = first // table_pages * table_pages
        held = replay_page_set(
            steps, first, first + run.pages[own], table, table + table_pages, full=vm in all_mapped
        )
        fails[own] = asks & ~held
    return fails
