"""Table refaults: guest faults on pages that were mapped before and unmapped since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from spetrace.arm import esr
from spetrace.session.event_run import STAGE2_MAP, STAGE2_WRPROTECT, EventRun, Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_stage2 import HostStage2
from spetrace.session.page_history import ASK, MAP, NEVER, START, UNMAP, replay_page_history
from spetrace.tables.events import CAUSES
from spetrace.tables.kvm_memory import REFAULTS


def build_refaults(stage2: HostStage2, faults: GuestFaults, page_size: int) -> pa.Table:
    """VM after VM, the faults in order; of each vCPU's the first one after each unmap of a page.

    Faults that are emulated accesses (MMIO) do not count.
    """
    is_asked = esr.is_translation_fault(faults.esr) & ~faults.is_mmio
    parts = [
        _of_vm(vm, stage2, faults, np.flatnonzero(is_asked & (faults.vm == vm)), page_size)
        for vm in sorted(stage2.told_by)
    ]
    return pa.concat_tables(parts or [REFAULTS.empty()])


@dataclass(frozen=True)
class _History:
    """Per fault, by rows of the VM's events, what mapped its page last and what unmapped it since."""

    fault: Integers
    mapped_by: Integers
    """START: mapped at the start."""
    unmapped_by: Integers


def _of_vm(
    vm: int, stage2: HostStage2, faults: GuestFaults, asked: Integers, page_size: int
) -> pa.Table:
    own = np.flatnonzero((stage2.events.vm == vm) & (stage2.events.code != STAGE2_WRPROTECT))
    run = stage2.events.part(own)
    full = stage2.initial[vm] == "all"
    history = _history(run, stage2.recorded.order[own], faults, asked, page_size, full)
    history = _first_of_each(history, faults, page_size)
    fault, ipa = history.fault, faults.ipa[history.fault]
    unmapped_ns, fault_ns = run.ts[history.unmapped_by], faults.events.time_ns[fault]
    mapped_ns = run.ts[np.maximum(history.mapped_by, 0)] if len(run) else fault_ns
    columns = {
        "source": faults.events.frame["source"].to_numpy()[fault],
        "vm": np.full(len(fault), vm, np.uint16),
        "vcpu": faults.vcpu[fault].astype(np.uint16),
        "ipa": ipa - ipa % np.uint64(page_size),
        "mapped_ns": pa.array(mapped_ns, mask=history.mapped_by == START),
        "unmapped_ns": unmapped_ns,
        "fault_ns": fault_ns,
        "between_ns": fault_ns - unmapped_ns,
        "cause": pa.DictionaryArray.from_arrays(
            run.value[history.unmapped_by].astype(np.int32), pa.array(CAUSES)
        ),
        "is_write": esr.is_write_fault(faults.esr[fault]).astype(bool),
        "is_fetch": esr.is_fetch(faults.esr[fault]),
        "guest_fault": fault.astype(np.uint64),
        "stage2_from": pa.repeat(stage2.told_by[vm], len(fault)),
    }
    return REFAULTS.from_columns(columns, len(fault))


def _history(
    run: EventRun,
    order: Integers,
    faults: GuestFaults,
    asked: Integers,
    page_size: int,
    full: bool,
) -> _History:
    """Of those faults `asked` whose page is unmapped and was mapped before."""
    places = np.concatenate((order, faults.events.order[asked]))
    page = faults.ipa[asked] // np.uint64(page_size)
    start = run.ipa // np.uint64(page_size)
    step = np.where(run.code == STAGE2_MAP, MAP, UNMAP)
    steps = np.concatenate((step, np.full(len(asked), ASK))).astype(np.uint8)
    first = np.concatenate((start, page))
    end = np.concatenate((start + run.pages, page + np.uint64(1)))
    by_order = np.argsort(places, kind="stable")
    since, until = replay_page_history(steps[by_order], first[by_order], end[by_order], full=full)
    found = np.flatnonzero(until != NEVER)
    mapped_by = np.where(since[found] == START, START, by_order[since[found]])
    return _History(asked[by_order[found] - len(run)], mapped_by, by_order[until[found]])


def _first_of_each(history: _History, faults: GuestFaults, page_size: int) -> _History:
    """The first fault of each vCPU on a page after one unmap of it: the others are retries."""
    keys = np.stack(
        (
            faults.vcpu[history.fault].astype(np.uint64),
            history.unmapped_by.astype(np.uint64),
            faults.ipa[history.fault] // np.uint64(page_size),
        )
    )
    _, first = np.unique(keys, axis=1, return_index=True)
    kept = np.sort(first)
    return _History(history.fault[kept], history.mapped_by[kept], history.unmapped_by[kept])
