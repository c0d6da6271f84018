"""The samples of tracepoints: where the bytes of each are, when and of whom it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.field_kernels import gather_bytes
from spetrace.ingest.mapped_bytes import let_go
from spetrace.ingest.perf_data.abi import TRACEPOINT_TYPE, SampleType
from spetrace.ingest.perf_data.attrs import EventAttr
from spetrace.ingest.perf_data.events import EventRows, EventTable
from spetrace.ingest.perf_data.framing import Block, Bytes, Rows
from spetrace.ingest.perf_data.sample_kernel import locate_samples
from spetrace.ingest.perf_data.sample_layout import sample_layout
from spetrace.quality import Quality

_FIRST_BYTES = 1 << 16
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
    event: EventRows

    @classmethod
    def room(cls, count: int) -> Samples:
        """Arrays for `count` samples, to be filled."""
        time_ns, starts = (np.empty(count, np.int64) for _ in range(2))
        pid, tid, cpu, event = (np.empty(count, np.int32) for _ in range(4))
        return cls(time_ns, pid, tid, cpu, starts, np.empty(count, np.uint32), event)

    def at(self, rows: npt.NDArray[np.integer[Any]] | slice) -> Samples:
        """Some of them."""
        return Samples._make(values[rows] for values in self)


class _CopiedBytes:
    """Bytes of records that do not stay in memory, one after another in an array that grows."""

    def __init__(self) -> None:
        self._bytes: Bytes = np.empty(_FIRST_BYTES, np.uint8)
        self._size = 0

    @property
    def data(self) -> Bytes:
        """The bytes, read-only as those of a file."""
        return _read_only(self._bytes[: self._size])

    def take(self, data: Bytes, starts: _Longs, lengths: npt.NDArray[np.uint32]) -> _Longs:
        """Copy the bytes of all places; returns where they are now."""
        ends = np.zeros(len(starts) + 1, np.int64)
        np.cumsum(lengths, out=ends[1:])
        size = self._size + int(ends[-1])
        if size > len(self._bytes):
            self._bytes.resize(max(size, 2 * len(self._bytes)), refcheck=False)
        gather_bytes(_read_only(data), starts, ends, self._bytes[self._size : size])
        moved = ends[:-1] + self._size
        self._size = size
        return moved


class TracepointSamples:
    """Collects the samples of tracepoint events, a block of records at a time.

    Of records in the mapped `file` only places are kept; the bytes of decompressed ones are copied.
    """

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._copied = _CopiedBytes()
        self._of_file: list[Samples] = []
        self._of_copied: list[Samples] = []
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
        data, big = _read_only(block.data), block.order == ">"
        offsets, sizes = block.offsets[records], block.sizes[records]
        count = locate_samples(data, offsets, sizes, owners[chosen], layouts, big, tuple(out))
        quality.add("perf_damaged_records", len(chosen) - count, "short SAMPLE records")
        self._keep(block.data, out.at(slice(count)))
        self._let_go_after(int(sizes.sum()))

    def finish(self) -> tuple[Samples, Bytes]:
        """All samples in file order, and the bytes that they have places in."""
        parts = self._of_file or [Samples.room(0)]
        if self._of_copied:
            parts = [self._moved(self._file, part) for part in parts] + self._of_copied
        data = self._copied.data if self._of_copied else self._file
        columns = [list(column) for column in zip(*parts, strict=True)]
        parts = self._of_file = self._of_copied = []
        return Samples._make(_taken_together(columns)), data

    def _let_go_after(self, size: int) -> None:
        """Let the file's pages go from time to time: of its records only places are kept."""
        self._read_bytes += size
        if self._read_bytes >= _LET_GO_BYTES:
            self._read_bytes = 0
            let_go(self._file)

    def _keep(self, data: Bytes, samples: Samples) -> None:
        if data is self._file:
            self._of_file.append(samples)
        else:
            self._of_copied.append(self._moved(data, samples))

    def _moved(self, data: Bytes, samples: Samples) -> Samples:
        starts = self._copied.take(data, samples.starts, samples.lengths)
        return samples._replace(starts=starts)

    def _learn(self, events: EventTable) -> None:
        """Take in events that came since the last block, as they do in a pipe."""
        new = events.events[len(self._layouts) :]
        if new:
            self._layouts += [sample_layout(event.attr) for event in new]
            self._traced += [is_traced(event.attr) for event in new]
            self._known = np.array(self._traced), np.array(self._layouts, np.int64)


def _taken_together(columns: list[list[Any]]) -> Iterator[npt.NDArray[Any]]:
    """Each column's parts as one array; no part is kept."""
    while columns:
        yield np.concatenate(columns.pop(0))


def _read_only(data: Bytes) -> Bytes:
    """A view that can't be written to, as one of a file: so kernels are compiled only once."""
    view = data.view()
    view.flags.writeable = False
    return view


def is_traced(attr: EventAttr) -> bool:
    """Whether the samples of an event hold a tracepoint's record."""
    return attr.type == TRACEPOINT_TYPE and bool(attr.sample_type & SampleType.RAW)
