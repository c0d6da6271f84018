"""An event log as a Parquet or Arrow file: its known columns, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.errors import InputError
from spetrace.ingest.event_log.arrow_columns import frame_of
from spetrace.ingest.event_log.columns import checked
from spetrace.ingest.event_log.event import EventError, read_event
from spetrace.ingest.event_log.fields import page_size_of
from spetrace.tables.events import EVENTS
from spetrace.tables.versions import check_version, names_table

PARQUET_MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1\0\0"
STREAM_MAGIC = b"\xff\xff\xff\xff"
_BATCH_ROWS = 1 << 16
_ROWS_PER_BYTE = 64
"""More rows than this in a byte are no log (delta-encoded columns of constants hold about 16)."""
_ROWS_ALWAYS = 1 << 20

Batches = Iterator[pa.RecordBatch]


def read_parquet(data: memoryview) -> Iterator[pa.Table]:
    """The events of a Parquet file, as table events.

    Raises InputError with the row of whatever is not as it should be.
    """
    return _read("Parquet", _parquet_batches, data)


def read_arrow(data: memoryview) -> Iterator[pa.Table]:
    """The events of an Arrow IPC file or stream, as table events; raises as `read_parquet`."""
    return _read("Arrow", _arrow_batches, data)


def _read(
    structure: str, open_: Callable[[memoryview], Batches], data: memoryview
) -> Iterator[pa.Table]:
    limit = max(_ROWS_ALWAYS, _ROWS_PER_BYTE * len(data))
    first = 0
    try:
        for batch in open_(data):
            if first + len(batch) > limit:
                cause = f"holds more than {_ROWS_PER_BYTE} rows for each of its {len(data)} bytes"
                raise InputError(structure, cause)
            batch.validate(full=True)
            for start in range(0, len(batch), _BATCH_ROWS):
                yield _events(batch.slice(start, _BATCH_ROWS), first + start)
            first += len(batch)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise InputError(structure, " ".join(str(error).split())) from error


def _parquet_batches(data: memoryview) -> Batches:
    source = pa.py_buffer(data)
    schema = pq.ParquetFile(source).schema_arrow
    _check_version(schema)
    names = _known(schema.names)
    texts = [n for n in names if pa.types.is_string(schema.field(n).type)]
    file = pq.ParquetFile(source, read_dictionary=texts)
    if file.metadata.num_rows > max(_ROWS_ALWAYS, _ROWS_PER_BYTE * len(data)):
        raise InputError("Parquet", f"announces {file.metadata.num_rows} rows in {len(data)} bytes")
    yield from file.iter_batches(_BATCH_ROWS, columns=names)


def _arrow_batches(data: memoryview) -> Batches:
    source = pa.py_buffer(data)
    is_file = data[: len(ARROW_MAGIC)] == ARROW_MAGIC
    open_ = pa.ipc.open_file if is_file else pa.ipc.open_stream
    schema = open_(source).schema
    _check_version(schema)
    names = schema.names
    fields = [names.index(name) for name in _known(names)]
    reader = open_(source, options=pa.ipc.IpcReadOptions(included_fields=fields))
    if not is_file:
        yield from reader
        return
    for i in range(reader.num_record_batches):
        yield reader.get_batch(i)


def _check_version(schema: pa.Schema) -> None:
    """Refuse a newer major version; a log that others wrote names none."""
    metadata = schema.metadata or {}
    if names_table(EVENTS, metadata):
        check_version(EVENTS, metadata)


def _known(names: list[str]) -> list[str]:
    known = [name for name in names if name in EVENTS.names]
    for name in EVENTS.names:
        if known.count(name) > 1:
            raise InputError("event log", f"has the column {name} {known.count(name)} times")
    if not {"ts", "kind"} <= set(known):
        raise InputError("event log", f"has no columns ts and kind, but {', '.join(names)[:200]}")
    return known


def _events(batch: pa.RecordBatch, first: int) -> pa.Table:
    page_size = page_size_of({})

    def read(row: int) -> dict[str, Any]:
        """One row's event, read slowly: what the columns did not take."""
        try:
            return read_event(batch.slice(row, 1).to_pylist()[0], page_size)
        except EventError as error:
            raise InputError("event log", f"row {first + row}: {error}") from error

    frame, odd = frame_of(batch)
    return checked(frame, odd, page_size, read)
