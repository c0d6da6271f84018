"""The event log of a session folder, read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.errors import InputError, NothingToReplayError
from spetrace.ingest.event_log.arrow_files import read_parquet
from spetrace.ingest.importer import map_file, read_recording
from spetrace.ingest.mapped_bytes import let_go
from spetrace.tables.events import EVENTS

_ROWS_AT_A_TIME: Final = 1 << 18
_PIECES_BETWEEN: Final = 16
"""Pieces of the file that are read before its pages are given back."""
_Filler = Callable[[pa.RecordBatch, int], pa.RecordBatch]
"""Completes a batch of events whose first one is at a place of the log."""


def read_events(path: Path) -> pa.Table:
    """An event log as a whole; raises as `read_recording`, NothingToReplayError for other files."""
    events = read_recording(path).events
    if events is None:
        raise NothingToReplayError(f"{path.parent}: its event log is none")
    return events


def iter_events(path: Path) -> Iterator[pa.RecordBatch]:
    """The same events in batches, if the log is as `spetrace ingest` writes it: in time order.

    One that is not is taken into memory. Raises what `read_events` does, for what is wrong in the
    middle when that is reached.
    """
    data = map_file(path)
    filled = _row_filler(data)
    if filled is None:
        return iter(read_events(path).to_batches())
    return _pieces(path, data, filled)


def _pieces(path: Path, data: memoryview, filled: _Filler) -> Iterator[pa.RecordBatch]:
    first = 0
    try:
        for number, piece in enumerate(read_parquet(data)):
            for batch in piece.to_batches():
                yield filled(batch, first)
                first += len(batch)
            if number % _PIECES_BETWEEN == 0:
                let_go(np.frombuffer(data, np.uint8))
    except InputError as error:
        raise error.in_file(str(path)) from error


def _row_filler(data: memoryview) -> _Filler | None:
    """What completes column `row`; None for a log that is not in order or not of our types."""
    try:
        file = pq.ParquetFile(pa.py_buffer(data))
        types = {field.name: field.type for field in file.schema_arrow}
        is_ours = types.get("ts") == pa.int64() and types.get("row") == pa.uint64()
        nulls = _nulls(file, "row") if is_ours else None
        if nulls is None or not _is_in_order(file):
            return None
    except (pa.ArrowException, OSError, ValueError):
        return None
    finally:
        let_go(np.frombuffer(data, np.uint8))
    return _numbered if nulls == file.metadata.num_rows else _as_it_is


def _nulls(file: pq.ParquetFile, name: str) -> int | None:
    """Nulls of a column; None where the file doesn't tell."""
    column = file.schema_arrow.names.index(name)
    if file.schema.column(column).path != name:
        return None
    groups = range(file.metadata.num_row_groups)
    told = [file.metadata.row_group(group).column(column).statistics for group in groups]
    if not all(statistics and statistics.has_null_count for statistics in told):
        return None
    return sum(int(statistics.null_count) for statistics in told)


def _is_in_order(file: pq.ParquetFile) -> bool:
    last = None
    for batch in file.iter_batches(_ROWS_AT_A_TIME, columns=["ts"]):
        times = batch.column(0)
        if times.null_count:
            return False
        ts = times.to_numpy()
        if (last is not None and len(ts) and ts[0] < last) or bool((ts[1:] < ts[:-1]).any()):
            return False
        last = ts[-1] if len(ts) else last
    return True


def _as_it_is(batch: pa.RecordBatch, _first: int) -> pa.RecordBatch:
    """The batch."""
    return batch


def _numbered(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """The batch with the events' places in the log as their rows."""
    place = EVENTS.names.index("row")
    rows = np.arange(first, first + len(batch), dtype=np.uint64)
    return batch.set_column(place, EVENTS.schema.field(place), pa.array(rows))
