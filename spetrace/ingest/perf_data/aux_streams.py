"""AUX streams: which chunks of AUX data and which AUX records belong to one AUX area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spetrace.ingest.perf_data.aux_records import AuxRecords
from spetrace.ingest.perf_data.auxtrace import Chunks
from spetrace.ingest.perf_data.framing import Rows
from spetrace.quality import Quality

MOST_STREAMS = 1 << 14
"""More AUX areas than perf can have mapped at a time are damage."""


@dataclass(frozen=True)
class AuxStream:
    """One AUX area's stream: its CPU (None in per-thread recordings) or its thread, its data."""

    cpu: int | None
    tid: int | None
    chunks: Chunks
    aux_records: AuxRecords


@dataclass
class _Streams:
    """Streams as they are met, by each of the keys that an AUX record may know them by."""

    places: list[tuple[int, int]] = field(default_factory=list)
    """(cpu, tid) of each; -1 where it has none."""
    by_cpu: dict[int, int] = field(default_factory=dict)
    by_tid: dict[int, int] = field(default_factory=dict)
    by_idx: dict[int, int] = field(default_factory=dict)

    def add(self, cpu: int, tid: int) -> int:
        """A new stream of a CPU, or of a thread where `cpu` is -1; none (-1) if there are too many."""
        number = len(self.places)
        if number == MOST_STREAMS:
            return -1
        self.places.append((cpu, tid))
        if cpu >= 0:
            self.by_cpu.setdefault(cpu, number)
        else:
            self.by_tid.setdefault(tid, number)
        return number

    def find(self, cpu: int, tid: int, idx: int) -> int:
        """The stream of an AUX record by its CPU, else by its mmap index, else by its thread.

        A per-thread area also gets what the threads that its thread made record, so their AUX
        records name other threads than the stream does.
        """
        if cpu in self.by_cpu:
            return self.by_cpu[cpu]
        if idx in self.by_idx:
            return self.by_idx[idx]
        if tid in self.by_tid:
            return self.by_tid[tid]
        if len(self.places) == 1 and (cpu < 0 or self.by_tid):
            return 0
        return self.add(-1 if self.by_tid else cpu, tid)

    def order(self) -> list[int]:
        """The streams in order of their CPU, then per-thread ones as they were met."""
        return sorted(
            range(len(self.places)),
            key=lambda n: (self.places[n][0] < 0, max(self.places[n][0], 0), n),
        )


def build_streams(
    chunks: Chunks, aux: AuxRecords, idx_of_id: Mapping[int, int], quality: Quality
) -> tuple[list[AuxStream], Rows]:
    """The streams in their order, and the stream number of each AUX record (-1: of none, and counted).

    AUX records of an area that no chunk in the file is of make a stream without data.
    `idx_of_id` is the ID_INDEX of the recording.
    """
    streams = _Streams()
    of_chunk = _assign_chunks(streams, chunks)
    of_record = _assign_records(streams, aux, idx_of_id)
    unplaced = int((of_chunk < 0).sum() + (of_record < 0).sum())
    quality.add("perf_damaged_records", unplaced, f"of more than {MOST_STREAMS} AUX areas")
    order = streams.order()
    rank = np.full(len(order) + 1, -1, np.intp)
    rank[order] = np.arange(len(order))
    of_chunk, of_record = rank[of_chunk], rank[of_record]
    chunk_rows = _rows_by_stream(of_chunk, len(order))
    record_rows = _rows_by_stream(of_record, len(order))
    built = []
    for new, old in enumerate(order):
        cpu, tid = streams.places[old]
        built.append(
            AuxStream(
                cpu if cpu >= 0 else None,
                tid if cpu < 0 and tid >= 0 else None,
                Chunks._make(column[chunk_rows[new]] for column in chunks),
                AuxRecords._make(column[record_rows[new]] for column in aux),
            )
        )
    return built, of_record


def _assign_chunks(streams: _Streams, chunks: Chunks) -> Rows:
    """The stream of each chunk: one per AUXTRACE.idx."""
    indices, first, inverse = np.unique(chunks.idx, return_index=True, return_inverse=True)
    numbers = np.empty(len(indices), np.intp)
    for place in np.argsort(first):
        row = first[place]
        numbers[place] = streams.add(max(int(chunks.cpu[row]), -1), int(chunks.tid[row]))
        streams.by_idx.setdefault(int(indices[place]), int(numbers[place]))
    return numbers[inverse]


def _assign_records(streams: _Streams, aux: AuxRecords, idx_of_id: Mapping[int, int]) -> Rows:
    """The stream of each AUX record; new ones are made for areas that no chunk is of."""
    ids, of_id = np.unique(aux.id.astype(np.uint64), return_inverse=True)
    idx = np.array([idx_of_id.get(i, -1) for i in ids.tolist()], np.int64)
    keys = np.stack([aux.cpu, aux.tid, idx[of_id]], axis=1)
    unique, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    numbers = np.empty(len(unique), np.intp)
    for place in np.argsort(first):
        numbers[place] = streams.find(*unique[place].tolist())
    return numbers[inverse.reshape(-1)]


def _rows_by_stream(numbers: Rows, count: int) -> list[Rows]:
    """The rows of each stream, in their order."""
    by_stream = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers + 1, minlength=count + 1))
    return np.split(by_stream, ends[:-1])[1:]
