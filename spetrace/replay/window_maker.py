"""The windows of an event log, made of its events as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.arm.registers import PMBLIMITR_E, PMSCR_E0SPE, PMSCR_E1SPE
from spetrace.replay import stream_kernel as kernel
from spetrace.replay.items import SCHEMA, items_of
from spetrace.replay.log_columns import CODE, Kinds, LogVcpus, integers_of, kinds_of
from spetrace.replay.near import NearPages
from spetrace.replay.stream_splitter import Steps, StreamedEvents, StreamSplitter
from spetrace.replay.window import Window
from spetrace.tables.events import KINDS, REGISTERS

NO_ROW: Final = (1 << 64) - 1
_STEPS: Final = {
    "spe_record": kernel.RECORD, "exception": kernel.EXCEPTION, "buffer_full": kernel.BUFFER_FULL,
    "eret": kernel.ERET_TO_EL1, "sysreg_write": kernel.OTHER_WRITE,
}  # fmt: skip
_STEP_OF_KIND: Final = np.array([_STEPS.get(kind, kernel.NOTHING) for kind in KINDS], np.uint8)
_PMBLIMITR, _PMSCR = REGISTERS.index("PMBLIMITR_EL1"), REGISTERS.index("PMSCR_EL1")


class WindowMaker:
    """Makes windows of `size` events, and gathers what is to be known of the whole log."""

    def __init__(self, page_size: int, size: int, *, with_rows: bool) -> None:
        self.count = 0
        """Events so far."""
        self.first_ns = self.last_ns = 0
        self.vcpus = LogVcpus()
        self.near = NearPages(page_size)
        self._size = size
        self._filled = 0
        self._splitter = StreamSplitter()
        self._steps = np.empty(size, np.uint8)
        self._numbers = np.empty(size, np.uint32)
        self._times = np.empty(size, np.int64)
        self._sizes = np.empty(size, np.uint32)
        self._rows = np.empty(size if with_rows else 0, np.uint64)
        self._items: list[pl.DataFrame] = []

    def windows(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Window]:
        """All events of `batches`; the last window may have fewer."""
        for batch in batches:
            at = 0
            while at < len(batch):
                piece = batch.slice(at, self._size - self._filled)
                self._add(piece)
                at += len(piece)
                if self._filled == self._size:
                    yield self._window()
        if self._filled:
            yield self._window()

    def _add(self, batch: pa.RecordBatch) -> None:
        kinds = kinds_of(batch)
        items = items_of(batch, kinds, self._filled)
        own = slice(self._filled, self._filled + len(batch))
        self._steps[own] = _steps(batch, kinds, items, self._filled)
        self._numbers[own] = self.vcpus.number(batch, self.count)
        self._times[own] = integers_of(batch, "ts")
        self._sizes[own] = integers_of(batch, "bytes")
        if len(self._rows):
            self._rows[own] = integers_of(batch, "row", NO_ROW)
        self._items.append(items)
        self.near.add(items)
        if not self.count:
            self.first_ns = int(self._times[0])
        self.last_ns = int(self._times[own.stop - 1])
        self.count += len(batch)
        self._filled = own.stop

    def _window(self) -> Window:
        count, self._filled = self._filled, 0
        items, self._items = self._items, []
        events = StreamedEvents(
            self._steps[:count],
            self._numbers[:count],
            self._times[:count],
            self._sizes[:count],
            self._rows[:count],
        )
        streams = self._splitter.split(events, self.vcpus.names)
        return Window(count, streams, pl.concat([SCHEMA.to_frame(), *items]))


def _steps(batch: pa.RecordBatch, kinds: Kinds, items: pl.DataFrame, first: int) -> Steps:
    """What each event is to its vCPU's stream; the batch's first is at `first` of the window."""
    steps: Steps = _STEP_OF_KIND[kinds]
    erets = np.flatnonzero(kinds == CODE["eret"])
    if len(erets):
        steps[erets[integers_of(batch, "to_el")[erets] == 0]] = kernel.ERET_TO_EL0
    value = pl.col("value")
    step = (
        pl.when(pl.col("reg") == _PMBLIMITR)
        .then(kernel.LIMIT_WRITE + (value & PMBLIMITR_E))
        .when(pl.col("reg") == _PMSCR)
        .then(kernel.CONTROL_WRITE + (value & (PMSCR_E0SPE | PMSCR_E1SPE)))
        .otherwise(kernel.OTHER_WRITE)
    )
    writes = items.filter(pl.col("kind") == CODE["sysreg_write"])
    told = writes.select(pl.col("place") - first, step=step.cast(pl.UInt8))
    steps[told["place"].to_numpy()] = told["step"].to_numpy()
    return steps
