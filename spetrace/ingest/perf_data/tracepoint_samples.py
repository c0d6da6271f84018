"""The samples of tracepoints: where the bytes of each are, when and of whom it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.perf_data.abi import TRACEPOINT_TYPE, SampleType
from spetrace.ingest.perf_data.attrs import EventAttr
from spetrace.ingest.perf_data.events import EventRows, EventTable
from spetrace.ingest.perf_data.framing import Block, Bytes, Rows
from spetrace.ingest.perf_data.sample_kernel import locate_samples
from spetrace.ingest.perf_data.sample_layout import sample_layout
from spetrace.ingest.perf_data.tracepoint_bytes import CopiedBytes, read_only
from spetrace.ingest.perf_data.tracepoint_runs import ROW, RUN_ROWS, RowArray, SampleRuns
from spetrace.quality import Quality

_LET_GO_BYTES = 1 << 26
_Ints = npt.NDArray[np.int32]
_Longs = npt.NDArray[np.int64]


class Samples(NamedTuple):
    """Samples in file order, one array element each; numbers that are absent are -1."""

    time_ns: _Longs
    pid: _Ints
    tid: _Ints
    cpu: _Ints
    starts: _Longs
    """Of the record that the kernel wrote, in the bytes that are given with the samples."""
    lengths: npt.NDArray[np.uint32]
    """Below 1 << 16, as the size of a record is."""
    event: EventRows

    @classmethod
    def room(cls, count: int) -> Samples:
        """Arrays for `count` samples, to be filled."""
        time_ns, starts = (np.empty(count, np.int64) for _ in range(2))
        pid, tid, cpu, event = (np.empty(count, np.int32) for _ in range(4))
        return cls(time_ns, pid, tid, cpu, starts, np.empty(count, np.uint32), event)

    @classmethod
    def of(cls, rows: RowArray) -> Samples:
        """The samples that rows (`tracepoint_runs.ROW`) tell."""
        columns = [rows[name].copy() for name in cls._fields]
        return cls._make(columns)._replace(lengths=rows["lengths"].astype(np.uint32))

    def at(self, rows: slice) -> Samples:
        """Some of them."""
        return Samples._make(values[rows] for values in self)


class TracepointSamples:
    """Collects the samples of tracepoint events, a block of records at a time.

    Of records in the mapped `file` only places are kept; the bytes of decompressed ones are copied.
    """

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._copied: CopiedBytes | None = None
        self._runs = SampleRuns()
        self._pending: list[Samples] = []
        self._pending_rows = 0
        self._traced: list[bool] = []
        self._layouts: list[tuple[int, ...]] = []
        self._known = np.empty(0, bool), np.empty((0, 0), np.int64)
        self._read_bytes = 0

    def add(
        self, block: Block, rows: Rows, owners: EventRows, events: EventTable, quality: Quality
    ) -> None:
        """Collect from the samples `rows` of a block, which are of the events `owners`.

        Samples that are too short for their fields are counted.
        """
        self._learn(events)
        traced, layouts = self._known
        chosen = np.flatnonzero(owners >= 0)
        chosen = chosen[traced[owners[chosen]]]
        if not len(chosen):
            return
        records, out = rows[chosen], Samples.room(len(chosen))
        data, big = read_only(block.data), block.order == ">"
        offsets, sizes = block.offsets[records], block.sizes[records]
        count = locate_samples(data, offsets, sizes, owners[chosen], layouts, big, tuple(out))
        quality.add("perf_damaged_records", len(chosen) - count, "short SAMPLE records")
        self._keep(block.data, out.at(slice(count)))
        self._let_go_after(int(sizes.sum()))

    def finish(self) -> tuple[SampleRuns, Bytes]:
        """All samples, and the bytes that they have places in."""
        self._add_pending()
        return self._runs, self._copied.data if self._copied else self._file

    def _let_go_after(self, size: int) -> None:
        """Let the file's pages go from time to time: of its records only places are kept."""
        self._read_bytes += size
        if self._read_bytes >= _LET_GO_BYTES:
            self._read_bytes = 0
            let_go(self._file)

    def _keep(self, data: Bytes, samples: Samples) -> None:
        if data is not self._file:
            self._copied = self._copied or self._copy_all()
            starts = self._copied.take(data, samples.starts, samples.lengths)
            samples = samples._replace(starts=starts)
        self._pending.append(samples)
        self._pending_rows += len(samples.starts)
        if self._pending_rows >= RUN_ROWS:
            self._add_pending()

    def _copy_all(self) -> CopiedBytes:
        """Copy the bytes of the samples in the file, so that all are in one array."""
        copied = CopiedBytes()

        def move(rows: RowArray) -> RowArray:
            """The rows, their starts those of the copies."""
            moved = rows.copy()
            starts, lengths = rows["starts"].copy(), rows["lengths"].copy()
            moved["starts"] = copied.take(self._file, starts, lengths)
            return moved

        self._add_pending()
        self._runs.rewrite(move)
        return copied

    def _add_pending(self) -> None:
        """Make a run of the samples that are not in one."""
        if self._pending_rows:
            rows = np.empty(self._pending_rows, ROW)
            for name, parts in zip(Samples._fields, zip(*self._pending, strict=True), strict=True):
                np.concatenate(parts, out=rows[name], casting="same_kind")
            self._pending, self._pending_rows = [], 0
            self._runs.add(rows)

    def _learn(self, events: EventTable) -> None:
        """Take in events that came since the last block, as they do in a pipe."""
        new = events.events[len(self._layouts) :]
        if new:
            self._layouts += [sample_layout(event.attr) for event in new]
            self._traced += [is_traced(event.attr) for event in new]
            self._known = np.array(self._traced), np.array(self._layouts, np.int64)


def is_traced(attr: EventAttr) -> bool:
    """Whether the samples of an event hold a tracepoint's record."""
    return attr.type == TRACEPOINT_TYPE and bool(attr.sample_type & SampleType.RAW)
