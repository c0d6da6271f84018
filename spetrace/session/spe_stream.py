"""One AUX stream as events: the buffer's programming, its records, and why each part ended.

The stream is the SPU's write stream; the register writes around its parts are those of the driver
(arm_spe_pmu_start, _stop and _irq_handler, drivers/perf/arm_spe_pmu.c, Linux 6.12).

How it works: all events are laid out on one tape. Each AUX record takes a stretch of it: the
writes that program the buffer (unless the interrupt handler before has done so), its records with
the level changes between them, and the writes at its end. Places are sums, so that every kind of
event is written in one go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spetrace.arm.registers import PMBLIMITR_E
from spetrace.session.event_run import (
    BUFFER_FULL,
    ERET,
    EXCEPTION,
    NO_ROW,
    PMBLIMITR_EL1,
    PMBPTR_EL1,
    PMBSR_EL1,
    PMSCR_EL1,
    SPE_RECORD,
    Addresses,
    EventRun,
    Integers,
    event_run,
)
from spetrace.session.programming import Programming, program
from spetrace.session.spe_streams import AuxParts, StreamRecords
from spetrace.session.stream_records import PlacedRecords, place_records

_START: Final = (PMBPTR_EL1, PMBLIMITR_EL1, PMSCR_EL1)
_STOP: Final = (PMSCR_EL1, PMBLIMITR_EL1)
_REFILL: Final = (BUFFER_FULL, PMBPTR_EL1, PMBLIMITR_EL1, PMBSR_EL1)


@dataclass(frozen=True)
class StreamEvents:
    """A stream's events on its recording's clock, and its records that no AUX record holds."""

    run: EventRun
    outside: int


def stream_events(
    parts: AuxParts,
    records: StreamRecords,
    *,
    base: int,
    area_bytes: int,
    pmscr: int,
    page_size: int,
) -> StreamEvents:
    """All events of one stream whose AUX area is `area_bytes` from VA `base` on."""
    plan = program(parts, area_bytes, page_size)
    placed = place_records(parts, records)
    tape = _Tape(plan, placed)
    tape.write_records(placed)
    pointer = np.uint64(base) + plan.position.astype(np.uint64)
    limit = (np.uint64(base) + plan.limit.astype(np.uint64)) | np.uint64(PMBLIMITR_E)
    tape.write_programming(plan, placed, pointer, limit, pmscr)
    return StreamEvents(
        event_run(tape.ts, tape.code, value=tape.value, row=tape.row), placed.outside
    )


class _Tape:
    """The columns of a stream's events, and the stretch of each AUX record in them."""

    def __init__(self, plan: Programming, placed: PlacedRecords) -> None:
        self._is_started = np.ones(len(plan.is_full), bool)
        self._is_started[1:] = ~plan.is_full[:-1]
        self._steps = np.cumsum(placed.turns.astype(np.int64) + 1)
        sums = np.concatenate((np.zeros(1, np.int64), self._steps))
        starts = placed.starts
        inner = sums[starts + placed.counts] - sums[starts]
        opening = np.where(self._is_started, len(_START), 0)
        closing = np.where(plan.is_full, len(_REFILL), len(_STOP))
        ends = np.cumsum(opening + inner + closing)
        self._open = ends - closing - inner - opening
        self._close = ends - closing
        self._records = self._steps + np.repeat(
            self._open + opening - sums[starts] - 1, placed.counts
        )
        size = int(ends[-1]) if len(ends) else 0
        self.ts = np.empty(size, np.int64)
        self.code = np.empty(size, np.uint8)
        self.value = np.zeros(size, np.uint64)
        self.row = np.full(size, np.uint64(NO_ROW))

    def write_records(self, placed: PlacedRecords) -> None:
        """Each record, and before it the change of level that it shows."""
        self._write(self._records, placed.time_ns, SPE_RECORD, placed.records.size_bytes)
        self.row[self._records] = placed.records.row
        turn = self._records[placed.turns] - 1
        to_el0 = placed.level[placed.turns] == 0
        self._write(turn, placed.time_ns[placed.turns], np.where(to_el0, ERET, EXCEPTION), 0)

    def write_programming(
        self,
        plan: Programming,
        placed: PlacedRecords,
        pointer: Addresses,
        limit: Addresses,
        pmscr: int,
    ) -> None:
        """The register writes and buffer full events at the start and the end of each part."""
        begin = _first_times(placed)
        fresh = np.flatnonzero(self._is_started)
        for step, (code, value) in enumerate(zip(_START, (pointer, limit, pmscr), strict=True)):
            self._write(self._open[fresh] + step, begin[fresh], code, _at(value, fresh))
        full = np.flatnonzero(plan.is_full)
        for step, (code, value) in enumerate(zip(_REFILL, (0, pointer, limit, 0), strict=True)):
            at = self._close[full] + step
            self._write(at, placed.part_time_ns[full], code, _at(value, full + 1))
        stopped = np.flatnonzero(~plan.is_full)
        for step, code in enumerate(_STOP):
            at = self._close[stopped] + step
            self._write(at, placed.part_time_ns[stopped], code, 0)

    def _write(self, at: Integers, ts: Integers, code: Any, value: Any) -> None:
        self.ts[at], self.code[at], self.value[at] = ts, code, value


def _at(value: Any, places: Integers) -> Any:
    return value[places] if isinstance(value, np.ndarray) else value


def _first_times(placed: PlacedRecords) -> Integers:
    """Per AUX record the time of its first record, or its own."""
    times = placed.part_time_ns.copy()
    filled = placed.counts > 0
    times[filled] = placed.time_ns[placed.starts[filled]]
    return times
