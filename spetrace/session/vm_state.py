"""Table vm_state: how many pages each VM's stage 2 maps, over the recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from spetrace.session.event_run import (
    STAGE2_UNMAP,
    STAGE2_WRPROTECT,
    EventRun,
    Integers,
)
from spetrace.session.host_stage2 import HostStage2
from spetrace.session.host_trace import HostTrace
from spetrace.session.page_counts import (
    MAP_READ_ONLY,
    MAP_WRITABLE,
    UNMAP,
    WRITE_PROTECT,
    replay_page_counts,
)
from spetrace.session.page_range import end_page, first_page
from spetrace.session.ram import Ram
from spetrace.tables.kvm_memory import VM_STATE

_STEPS: Final = {STAGE2_UNMAP: UNMAP, STAGE2_WRPROTECT: WRITE_PROTECT}


def build_vm_state(
    host: HostTrace, stage2: HostStage2, rams: Mapping[int, Ram], page_size: int
) -> pa.Table:
    """VM after VM, one row at the recording's start and one per time at which the counts change.

    What a VM is taken to have mapped at the start (`all`) counts within its RAM.
    """
    parts = [
        _of_vm(vm, host, stage2, rams[vm], page_size) for vm in sorted(stage2.told_by) if vm in rams
    ]
    return pa.concat_tables(parts or [VM_STATE.empty()])


def _of_vm(vm: int, host: HostTrace, stage2: HostStage2, ram: Ram, page_size: int) -> pa.Table:
    own = np.flatnonzero(stage2.events.vm == vm)
    run = stage2.events.part(own)
    mapped, writable = _counts(run, stage2.initial[vm] == "all", ram, page_size)
    times = np.concatenate(([_start_ns(host, run)], run.ts))
    sources = np.concatenate(([host.sources[0]], host.source_of(stage2.recorded.order[own])))
    shown = _changes(times, mapped, writable)
    columns = {
        "source": sources[shown].astype(np.uint16),
        "vm": np.full(len(shown), vm, np.uint16),
        "time_ns": times[shown],
        "mapped_pages": mapped[shown].astype(np.uint64),
        "writable_pages": writable[shown].astype(np.uint64),
        "stage2_from": pa.repeat(stage2.told_by[vm], len(shown)),
    }
    return VM_STATE.from_columns(columns)


def _start_ns(host: HostTrace, run: EventRun) -> int:
    firsts = [int(run.ts.min())] if len(run) else []
    return min([*firsts, *([] if host.first_ns is None else [host.first_ns])], default=0)


def _counts(run: EventRun, all_mapped: bool, ram: Ram, page_size: int) -> tuple[Integers, Integers]:
    """Pages mapped and mapped writable: at the start, then after each event."""
    step = np.where(run.value != 0, MAP_WRITABLE, MAP_READ_ONLY)
    for code, other in _STEPS.items():
        step[run.code == code] = other
    base, size = np.array([ram.ipa], np.uint64), np.array([ram.bytes], np.uint64)
    start = first_page(base, page_size)
    stop = end_page(base, size, page_size) if all_mapped else start
    first = run.ipa // np.uint64(page_size)
    return replay_page_counts(
        np.concatenate(([MAP_WRITABLE], step)).astype(np.uint8),
        np.concatenate((start, first)),
        np.concatenate((stop, first + run.pages)),
    )


def _changes(times: Integers, mapped: Integers, writable: Integers) -> Integers:
    """The rows of a step function: the last of each time, where it differs from the one before."""
    last = np.flatnonzero(np.concatenate((times[1:] != times[:-1], [True])))
    differs = (np.diff(mapped[last]) != 0) | (np.diff(writable[last]) != 0)
    return last[np.concatenate(([True], differs))]
