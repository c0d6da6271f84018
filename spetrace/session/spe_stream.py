"""One AUX stream as events: the buffer's programming, its records, and why each part ended.

The stream is the SPU's write stream; the register writes around its parts are those of the driver
(arm_spe_pmu_start, _stop and _irq_handler, drivers/perf/arm_spe_pmu.c, Linux 6.12).

How it works: the events of a batch of records are laid out on one tape. Each AUX record takes a
stretch of it: the writes that program the buffer (unless the interrupt handler before has done so),
its records with the level changes between them, and the writes at its end. Places are sums, so that
every kind of event is written in one go. The last AUX record of a batch may go on in the next: then
the end of its stretch is left for that, and the next one's begins without a start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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
from spetrace.session.merge import NEVER, TimedRun
from spetrace.session.programming import Programming
from spetrace.session.spe_streams import Mask, levels_of, times_of
from spetrace.session.stream_kernels import find_turns, write_records
from spetrace.session.stream_records import RecordPlacer
from spetrace.session.stream_survey import StreamSurvey

_START: Final = (PMBPTR_EL1, PMBLIMITR_EL1, PMSCR_EL1)
_STOP: Final = (PMSCR_EL1, PMBLIMITR_EL1)
_REFILL: Final = (BUFFER_FULL, PMBPTR_EL1, PMBLIMITR_EL1, PMBSR_EL1)
_CODES: Final = np.array([ERET, EXCEPTION, SPE_RECORD], np.uint8)
_EL1: Final = 1
"""The level of the register writes before an AUX record's first record."""


@dataclass(frozen=True)
class BufferSetup:
    """How a stream's buffer was programmed: per AUX record, from VA `base` on, with this PMSCR_EL1."""

    plan: Programming
    base: int
    pmscr: int

    @cached_property
    def pointer(self) -> Addresses:
        """PMBPTR_EL1 of each AUX record."""
        return np.uint64(self.base) + self.plan.position.astype(np.uint64)

    @cached_property
    def limit(self) -> Addresses:
        """PMBLIMITR_EL1 of each AUX record."""
        end = np.uint64(self.base) + self.plan.limit.astype(np.uint64)
        return end | np.uint64(PMBLIMITR_E)


def iter_stream_runs(
    survey: StreamSurvey, batches: Iterable[pa.RecordBatch], setup: BufferSetup, first_row: int
) -> Iterator[TimedRun]:
    """All events of a surveyed stream, run after run as `batches` with RECORD_COLUMNS give them.

    `first_row` is the row of the stream's first record.
    """
    maker = _Maker(survey, setup, first_row)
    for batch in batches:
        run = maker.add(batch)
        if run is not None:
            yield run
    if len(survey.parts):
        yield maker.finish()


class _Pieces(NamedTuple):
    """Consecutive AUX records, the first and the last of them perhaps in part."""

    first: int
    counts: Integers
    """Per piece how many of the records it has; they are consecutive."""
    is_begun: bool
    """Whether the first one's start is written already."""
    is_ended: bool
    """Whether the last one's end is to be written."""


class _Records(NamedTuple):
    """The records of the pieces, in order."""

    size_bytes: npt.NDArray[np.uint32]
    time_ns: Integers
    level: npt.NDArray[np.uint8]
    turns: Mask
    """Whether the record's level differs from the one that stood before it."""
    row: Addresses


_NO_RECORDS: Final = _Records(
    np.zeros(0, np.uint32),
    np.zeros(0, np.int64),
    np.zeros(0, np.uint8),
    np.zeros(0, bool),
    np.zeros(0, np.uint64),
)


class _Maker:
    """Makes a stream's events, and keeps what the next batch needs of the last one."""

    def __init__(self, survey: StreamSurvey, setup: BufferSetup, first_row: int) -> None:
        self._survey = survey
        self._setup = setup
        self._placer = RecordPlacer(survey.parts, survey.record_start_ns)
        self._row = first_row
        self._records = 0
        self._part = 0
        self._is_begun = False
        self._level = _EL1

    def add(self, batch: pa.RecordBatch) -> TimedRun | None:
        """The events of the next records, up to the last of them; None where they make none."""
        placed = self._placer.place(batch.column("aux_offset").to_numpy(), *times_of(batch))
        row = np.arange(self._row, self._row + batch.num_rows, dtype=np.uint64)
        self._row += batch.num_rows
        if not len(placed):
            return None
        times = placed.time_ns
        if times is None:
            times = np.repeat(self._survey.part_time_ns[placed.parts], placed.counts)
        counts = np.zeros(placed.parts[-1] - self._part + 1, np.int64)
        counts[placed.parts - self._part] = placed.counts
        pieces = _Pieces(self._part, counts, self._is_begun, False)
        level, size = levels_of(batch)[placed.held], batch.column("size_bytes").to_numpy()
        turns = np.empty(len(level), np.bool_)
        turned = np.zeros_like(counts)
        find_turns(level, counts, self._level, _EL1, turns, turned)
        records = _Records(size[placed.held], times, level, turns, row[placed.held])
        tape = _Tape(pieces, records, turned, self._survey).written(self._setup)
        self._records += len(level)
        self._part, self._is_begun = int(placed.parts[-1]), True
        self._level = int(level[-1])
        return TimedRun(tape, self._survey.later_ns(self._part, self._records))

    def finish(self) -> TimedRun:
        """The events after the last record."""
        counts = np.zeros(len(self._survey.parts) - self._part, np.int64)
        pieces = _Pieces(self._part, counts, self._is_begun, True)
        tape = _Tape(pieces, _NO_RECORDS, np.zeros_like(counts), self._survey)
        return TimedRun(tape.written(self._setup), NEVER)


class _Tape:
    """The columns of the events of some pieces, and the stretch of each piece in them."""

    def __init__(
        self, pieces: _Pieces, records: _Records, turned: Integers, survey: StreamSurvey
    ) -> None:
        self._pieces = pieces
        self._own_records = records
        self._turned = turned
        self._part_time_ns = survey.part_time_ns[self._own]

    @property
    def _own(self) -> slice:
        return slice(self._pieces.first, self._pieces.first + len(self._pieces.counts))

    def written(self, setup: BufferSetup) -> EventRun:
        """The events."""
        self._lay_out(setup.plan)
        if len(self._own_records.time_ns):
            self._write_records()
        self._write_programming(setup)
        return event_run(self._ts, self._code, value=self._value, row=self._row)

    def _lay_out(self, plan: Programming) -> None:
        pieces = self._pieces
        full = plan.is_full[self._own]
        before = plan.is_full[max(pieces.first - 1, 0) : self._own.stop - 1]
        self._is_started = np.ones(len(full), bool)
        self._is_started[len(full) - len(before) :] = ~before
        self._is_started[0] &= not pieces.is_begun
        is_ended = np.ones(len(full), bool)
        is_ended[-1] = pieces.is_ended
        self._is_full, self._is_stopped = full & is_ended, ~full & is_ended
        inner = pieces.counts + self._turned
        opening = np.where(self._is_started, len(_START), 0)
        closing = self._is_full * len(_REFILL) + self._is_stopped * len(_STOP)
        ends = np.cumsum(opening + inner + closing)
        self._close = ends - closing
        self._inside = self._close - inner
        self._open = self._inside - opening
        size = int(ends[-1])
        self._ts = np.empty(size, np.int64)
        self._code = np.empty(size, np.uint8)
        self._value = np.zeros(size, np.uint64)
        self._row = np.full(size, np.uint64(NO_ROW))

    def _write_records(self) -> None:
        """Each record, and before it the change of level that it shows."""
        columns = (self._ts, self._code, self._value, self._row)
        counts = self._pieces.counts
        write_records(self._inside, counts, _CODES, *self._own_records, *columns)

    def _write_programming(self, setup: BufferSetup) -> None:
        """The register writes and buffer full events at the start and the end of each piece."""
        first, ended = self._pieces.first, self._part_time_ns
        begin, fresh = self._first_times(), np.flatnonzero(self._is_started)
        values: tuple[Any, ...] = (setup.pointer, setup.limit, setup.pmscr)
        for step, (code, value) in enumerate(zip(_START, values, strict=True)):
            self._write(self._open[fresh] + step, begin[fresh], code, _at(value, first + fresh))
        full = np.flatnonzero(self._is_full)
        values = (0, setup.pointer, setup.limit, 0)
        for step, (code, value) in enumerate(zip(_REFILL, values, strict=True)):
            at = self._close[full] + step
            self._write(at, ended[full], code, _at(value, first + full + 1))
        stopped = np.flatnonzero(self._is_stopped)
        for step, code in enumerate(_STOP):
            self._write(self._close[stopped] + step, ended[stopped], code, 0)

    def _write(self, at: Integers, ts: Integers, code: Any, value: Any) -> None:
        self._ts[at], self._code[at], self._value[at] = ts, code, value

    def _first_times(self) -> Integers:
        """Per piece the time of its first record, or its AUX record's."""
        times = self._part_time_ns.copy()
        filled = self._pieces.counts > 0
        starts = np.cumsum(self._pieces.counts) - self._pieces.counts
        times[filled] = self._own_records.time_ns[starts[filled]]
        return times


def _at(value: Any, places: Integers) -> Any:
    return value[places] if isinstance(value, np.ndarray) else value
