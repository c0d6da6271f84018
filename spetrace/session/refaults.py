"""Table refaults: guest faults on pages that were mapped before and unmapped since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.arm import esr
from spetrace.session.event_run import (
    STAGE2_MAP,
    STAGE2_WRPROTECT,
    UNKNOWN_CAUSE,
    Addresses,
    Integers,
)
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun
from spetrace.session.host_stage2 import HostStage2
from spetrace.session.host_trace import HostTrace
from spetrace.session.ordered_rows import side_by_side
from spetrace.session.page_bounds import PageBounds
from spetrace.session.page_history import ASK, MAP, NEVER, START, UNMAP, PageHistory
from spetrace.session.refault_attempts import Attempts
from spetrace.session.unmap_causes import UnmapCauses
from spetrace.session.vm_rows import places_of
from spetrace.tables.events import CAUSES
from spetrace.tables.kvm_memory import REFAULTS

_NONE: Final = -1


@dataclass(frozen=True)
class _Steps:
    """Maps and unmaps of a VM's pages, or faults that ask for them, in order."""

    order: Integers
    kind: npt.NDArray[np.uint8]
    row: Integers
    """Among all events of stage 2, or all faults."""
    first: Addresses
    end: Addresses

    def part(self, select: Any) -> _Steps:
        """Some of them."""
        return _Steps(
            self.order[select], self.kind[select], self.row[select], self.first[select],
            self.end[select],
        )  # fmt: skip


@dataclass(frozen=True)
class _History:
    """Per fault, by rows of all events, what mapped its page last and what unmapped it since."""

    fault: Integers
    page: Integers
    """A number of its page: as PageHistory has it."""
    mapped_by: Integers
    """START: mapped at the start."""
    unmapped_by: Integers

    def part(self, select: Any) -> _History:
        """Some of them."""
        columns = (self.fault, self.page, self.mapped_by, self.unmapped_by)
        return _History(*(column[select] for column in columns))


def refault_batches(
    host: HostTrace, stage2: HostStage2, faults: GuestFaults, page_size: int
) -> Iterator[pa.RecordBatch]:
    """VM after VM, the faults in order; of each vCPU's the first one after each unmap of a page.

    Faults that are emulated accesses (MMIO) do not count.
    """
    causes = UnmapCauses(host)
    for vm in sorted(stage2.told_by):
        attempts = Attempts()
        for history in _history(vm, stage2, faults, page_size):
            vcpu = faults.vcpu[history.fault]
            is_first = attempts.are_first(vcpu, history.page, history.unmapped_by)
            table = _table(vm, stage2, faults, history.part(is_first), page_size, causes)
            yield from table.combine_chunks().to_batches()
            faults.let_go()
            stage2.recorded.let_go()


def _table(
    vm: int,
    stage2: HostStage2,
    faults: GuestFaults,
    history: _History,
    page_size: int,
    causes: UnmapCauses,
) -> pa.Table:
    own, run = faults.part(history.fault), stage2.events
    fault_ns, unmapped_ns = own.events.time_ns, run.ts[history.unmapped_by]
    mapped_ns = run.ts[np.maximum(history.mapped_by, 0)] if len(run) else fault_ns
    columns = {
        "source": own.events.source,
        "vm": np.full(len(own), vm, np.uint16),
        "vcpu": own.vcpu.astype(np.uint16),
        "ipa": own.ipa - own.ipa % np.uint64(page_size),
        "mapped_ns": pa.array(mapped_ns, mask=history.mapped_by == START),
        "unmapped_ns": unmapped_ns,
        "fault_ns": fault_ns,
        "between_ns": fault_ns - unmapped_ns,
        "cause": pa.DictionaryArray.from_arrays(
            _causes(stage2.recorded, history.unmapped_by, causes), pa.array(CAUSES)
        ),
        "is_write": esr.is_write_fault(own.esr).astype(bool),
        "is_fetch": esr.is_fetch(own.esr),
        "guest_fault": history.fault.astype(np.uint64),
        "stage2_from": pa.repeat(stage2.told_by[vm], len(own)),
    }
    return REFAULTS.from_columns(columns, len(own))


def _causes(recorded: HostRun, rows: Integers, causes: UnmapCauses) -> npt.NDArray[np.int32]:
    """Of unmaps as places in CAUSES: as the log has it, else as the trace tells."""
    logged = recorded.run.value[rows].astype(np.int32)
    told = causes.at(recorded.order[rows]).astype(np.int32)
    return np.where(logged == UNKNOWN_CAUSE, told, logged)


def _history(
    vm: int, stage2: HostStage2, faults: GuestFaults, page_size: int
) -> Iterator[_History]:
    """Of the VM's faults whose page is unmapped and was mapped before, a bounded number at a time."""
    bounds = PageBounds()
    for steps in _of_stage2(vm, stage2, page_size):
        bounds.add(steps.first, steps.end)
    for steps in _of_faults(vm, faults, page_size):
        bounds.add(steps.first, steps.end)
    pages = PageHistory(bounds.finish(), full=stage2.initial[vm] == "all")
    for these, others in side_by_side(
        _of_stage2(vm, stage2, page_size), _of_faults(vm, faults, page_size)
    ):
        parts = [*these, *others]
        order = np.argsort(np.concatenate([p.order for p in parts]), kind="stable")
        kind, row, first, end = (
            np.concatenate([getattr(p, name) for p in parts])[order]
            for name in ("kind", "row", "first", "end")
        )
        since, until = pages.replay(kind, row, first, end)
        found = np.flatnonzero(until != NEVER)
        if len(found):
            yield _History(row[found], pages.numbers_of(first[found]), since[found], until[found])


def _of_stage2(vm: int, stage2: HostStage2, page_size: int) -> Iterator[_Steps]:
    for rows, part in stage2.parts_of(vm):
        counts = part.run.code != STAGE2_WRPROTECT
        yield _stage2_steps(rows[counts], part.part(counts), page_size)


def _stage2_steps(rows: Integers, part: HostRun, page_size: int) -> _Steps:
    first = part.run.ipa // np.uint64(page_size)
    kind = np.where(part.run.code == STAGE2_MAP, MAP, UNMAP).astype(np.uint8)
    return _Steps(part.order, kind, rows, first, first + part.run.pages)


def _of_faults(vm: int, faults: GuestFaults, page_size: int) -> Iterator[_Steps]:
    """The faults that ask."""
    for rows in faults.by_vm.of(vm):
        part = faults.part(rows)
        asks = np.flatnonzero(esr.is_translation_fault(part.esr) & ~part.is_mmio)
        page = part.ipa[asks] // np.uint64(page_size)
        kind, order = np.full(len(asks), ASK, np.uint8), part.events.order[asks]
        yield _Steps(order, kind, places_of(rows)[asks], page, page + np.uint64(1))
        faults.let_go()
