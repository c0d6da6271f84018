"""Table vm_state: how many pages each VM's stage 2 maps, over the recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.session.event_run import (
    STAGE2_UNMAP,
    STAGE2_WRPROTECT,
    Addresses,
    EventRun,
    Integers,
)
from spetrace.session.host_stage2 import HostStage2
from spetrace.session.host_trace import HostTrace
from spetrace.session.page_bounds import PageBounds
from spetrace.session.page_counts import (
    MAP_READ_ONLY,
    MAP_WRITABLE,
    UNMAP,
    WRITE_PROTECT,
    PageCounts,
)
from spetrace.session.page_range import end_page, first_page
from spetrace.session.ram import Ram
from spetrace.tables.kvm_memory import VM_STATE

_STEPS: Final = {STAGE2_UNMAP: UNMAP, STAGE2_WRPROTECT: WRITE_PROTECT}


class _Points(NamedTuple):
    """Counts from times on: arrays of one length."""

    source: npt.NDArray[np.uint16]
    time_ns: Integers
    mapped: Integers
    writable: Integers

    def rows(self, select: Any) -> _Points:
        """Some of them."""
        return _Points._make(column[select] for column in self)

    def then(self, others: _Points) -> _Points:
        """These and others after them."""
        return _Points(
            np.append(self.source, others.source),
            np.append(self.time_ns, others.time_ns),
            np.append(self.mapped, others.mapped),
            np.append(self.writable, others.writable),
        )


def vm_state_batches(
    host: HostTrace, stage2: HostStage2, rams: Mapping[int, Ram], page_size: int
) -> Iterator[pa.RecordBatch]:
    """VM after VM, one row at the recording's start and one per time at which the counts change.

    What a VM is taken to have mapped at the start (`all`) counts within its RAM.
    """
    for vm in sorted(stage2.told_by):
        if vm in rams:
            changes = _Changes()
            for points in _points(vm, host, stage2, rams[vm], page_size):
                yield from _batches(vm, changes.add(points), stage2)
            yield from _batches(vm, changes.last, stage2)


def _batches(vm: int, points: _Points, stage2: HostStage2) -> Iterator[pa.RecordBatch]:
    count = len(points.time_ns)
    columns = {
        "source": points.source,
        "vm": np.full(count, vm, np.uint16),
        "time_ns": points.time_ns,
        "mapped_pages": points.mapped.astype(np.uint64),
        "writable_pages": points.writable.astype(np.uint64),
        "stage2_from": pa.repeat(stage2.told_by[vm], count),
    }
    yield from VM_STATE.from_columns(columns, count).combine_chunks().to_batches()


def _points(
    vm: int, host: HostTrace, stage2: HostStage2, ram: Ram, page_size: int
) -> Iterator[_Points]:
    """The counts at the start, then after each event, a bounded number at a time."""
    base, size = np.array([ram.ipa], np.uint64), np.array([ram.bytes], np.uint64)
    start = first_page(base, page_size)
    stop = end_page(base, size, page_size) if stage2.initial[vm] == "all" else start
    bounds, firsts = PageBounds(), [] if host.first_ns is None else [host.first_ns]
    bounds.add(start, stop)
    for _rows, part in stage2.parts_of(vm):
        bounds.add(*_range(part.run, page_size))
        firsts.append(int(part.run.ts.min()))
    pages = PageCounts(bounds.finish())
    counts = pages.replay(np.array([MAP_WRITABLE], np.uint8), start, stop)
    source, time = np.array(host.sources[:1], np.uint16), np.array([min(firsts, default=0)])
    yield _Points(source, time, *counts)
    for _rows, part in stage2.parts_of(vm):
        counts = pages.replay(_steps(part.run), *_range(part.run, page_size))
        yield _Points(host.source_of(part.order), part.run.ts, *counts)


def _range(run: EventRun, page_size: int) -> tuple[Addresses, Addresses]:
    first = run.ipa // np.uint64(page_size)
    return first, first + run.pages


def _steps(run: EventRun) -> npt.NDArray[np.uint8]:
    step = np.where(run.value != 0, MAP_WRITABLE, MAP_READ_ONLY).astype(np.uint8)
    for code, other in _STEPS.items():
        step[run.code == code] = other
    return step


class _Changes:
    """The rows of a step function: the last of each time, where it differs from the one before."""

    def __init__(self) -> None:
        self._open: _Points | None = None
        """The last point so far: others of its time may follow."""
        self._before: tuple[int, int] | None = None
        """The counts of the last of the time before."""

    def add(self, points: _Points) -> _Points:
        """Take the next points, at least one; gives the rows that are certain with them."""
        if self._open is not None:
            points = self._open.then(points)
        last = np.flatnonzero(points.time_ns[1:] != points.time_ns[:-1])
        self._open = points.rows(slice(-1, None))
        return self._differing(points.rows(last))

    @property
    def last(self) -> _Points:
        """The last row, where there is one more."""
        assert self._open is not None
        return self._differing(self._open)

    def _differing(self, points: _Points) -> _Points:
        if not len(points.time_ns):
            return points
        before = self._before or (-1, -1)
        differs = np.diff(points.mapped, prepend=before[0]) != 0
        differs |= np.diff(points.writable, prepend=before[1]) != 0
        self._before = int(points.mapped[-1]), int(points.writable[-1])
        return points.rows(differs)
