"""SPE bytes to Arrow record batches of table spe_records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.ingest.spe import raw_records as raw
from spetrace.ingest.spe.batch import BatchBuilder, slots_of
from spetrace.ingest.spe.header_table import header_table
from spetrace.ingest.spe.kernel import FULL, decode_window
from spetrace.ingest.spe.layouts import add_layout, no_layouts
from spetrace.ingest.spe.raw_records import RawRecords
from spetrace.ingest.spe.segment import Segment
from spetrace.ingest.spe.windows import Window, iter_windows
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion
from spetrace.tables.spe_records import SPE_RECORDS

BATCH_ROWS = 1 << 15
"""Rows of a batch: its raw payloads take 3.7 MB, so that making columns finds them in the cache."""


@dataclass(frozen=True)
class StreamIdentity:
    """Whose AUX stream it is: the input's index, and the CPU or the thread that it belongs to."""

    source: int
    cpu: int | None
    tid: int | None


def iter_batches(
    segments: Iterable[Segment],
    identity: StreamIdentity,
    *,
    time_conversion: TimeConversion | None,
    columns: Collection[str] | None = None,
    quality: Quality | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[pa.RecordBatch]:
    """The records of one AUX stream, in its order, in batches of at most `batch_rows` rows.

    The batches have table spe_records' schema, restricted to `columns` if given. A record is what
    a timestamp or end packet closes, also without a PC. Bytes that start no packet, and what a
    segment's end or such bytes cut off, are left out and counted in `quality` when all is decoded.
    """
    table = SPE_RECORDS if columns is None else SPE_RECORDS.select(columns)
    builder = BatchBuilder(table, asdict(identity), time_conversion)
    headers = header_table(slots_of(table.names))
    records, layouts = raw.allocate(batch_rows), no_layouts()
    state = np.zeros(raw.STATE_ENTRIES, np.uint64)
    for segment in filter(None, segments):
        _begin_segment(state, segment)
        for window in iter_windows(segment):
            while result := decode_window(window, headers, records, layouts, state):
                if result == FULL:
                    yield builder.build(records, _take_rows(state))
                else:
                    last = _last_record(window, records, state)
                    state[raw.LAYOUTS] = add_layout(layouts, int(state[raw.LAYOUTS]), last, headers)
        _end_segment(state, records)
    if state[raw.ROWS]:
        yield builder.build(records, _take_rows(state))
    if quality is not None:
        _count(state, quality)


def _begin_segment(state: npt.NDArray[np.uint64], segment: Segment) -> None:
    state[raw.AT] = state[raw.BEGIN] = np.uint64(segment[0].aux_offset)


def _end_segment(state: npt.NDArray[np.uint64], records: RawRecords) -> None:
    """Drop the record that the segment's end leaves open."""
    if state[raw.PRESENT]:
        state[raw.CUT_RECORDS] += np.uint64(1)
        state[raw.PRESENT] = 0
        state[raw.OTHERS] = records.other_ends[state[raw.ROWS]]


def _last_record(
    window: Window, records: RawRecords, state: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint8]:
    """The bytes of the record that was finished last, which begins in the window."""
    end = (int(state[raw.AT]) - int(window.aux_offset)) % (1 << 64)
    return window.data[end - int(records.sizes[int(state[raw.ROWS]) - 1]) : end]


def _take_rows(state: npt.NDArray[np.uint64]) -> int:
    """The finished records, which the caller takes out of the arrays."""
    rows = int(state[raw.ROWS])
    state[raw.ROWS] = state[raw.OTHERS] = 0
    return rows


def _count(state: npt.NDArray[np.uint64], quality: Quality) -> None:
    quality.add("spe_bad_packets", int(state[raw.BAD_PACKETS]))
    quality.add("spe_cut_records", int(state[raw.CUT_RECORDS]))
    quality.add("spe_records_without_time", int(state[raw.WITHOUT_TIME]))
