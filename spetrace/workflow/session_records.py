"""The SPE records of a session as its folder holds them: on its clock, in words where asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from spetrace.arm.explanation import EXPLAINED_COLUMNS, explain
from spetrace.arm.threads import THREAD_COLUMNS, with_threads
from spetrace.tables.recording import Recording
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.threads import THREADS

_TIME = SPE_RECORDS.names.index("time_ns")
_ADDED = EXPLAINED_COLUMNS | THREAD_COLUMNS
_TYPES = {
    "event_names": pa.list_(pa.string()),
    "thread_tid": pa.int64(),
    "thread_pid": pa.int32(),
    **dict.fromkeys(
        ("operation_name", "data_source_name", "memory_level", "memory_snoop", "thread_comm"),
        pa.string(),
    ),
}
"""Types of the added columns; bool where none is given."""


def records_schema(explained: bool) -> pa.Schema:
    """The schema of table spe_records, with the columns in words behind where `explained`."""
    schema = SPE_RECORDS.schema
    if explained:
        for name, doc in _ADDED.items():
            schema = schema.append(pa.field(name, _type(name), metadata={"doc": doc}))
    return schema


def session_records(
    recordings: Sequence[Recording],
    clocks: Sequence[dict[str, Any]],
    explained: bool,
    progress: Callable[[float], None],
) -> Iterator[pa.RecordBatch]:
    """The records of all recordings, stream after stream, as `records_schema` says.

    `clocks` are the session's: what each source's times are moved by to be on its clock.
    """
    offsets = {clock["source"]: clock.get("offset_ns") or 0 for clock in clocks}
    for source, recording in enumerate(recordings):
        progress(source / len(recordings))
        if recording.spe:
            for _stream, batch in recording.spe.batches(source=source):
                moved = _moved(batch, offsets.get(source, 0))
                yield _explained(moved, batch, recording) if explained else moved


def _moved(batch: pa.RecordBatch, offset_ns: int) -> pa.RecordBatch:
    if not offset_ns:
        return batch
    times = pc.add(batch.column(_TIME), pa.scalar(offset_ns, pa.int64()))
    return batch.set_column(_TIME, batch.schema.field(_TIME), times)


def _explained(
    moved: pa.RecordBatch, batch: pa.RecordBatch, recording: Recording
) -> pa.RecordBatch:
    """`moved` with what `batch` says in words; its times are those that the threads were named at."""
    midrs = recording.spe.midrs if recording.spe else {}
    threads = recording.threads
    known = pl.DataFrame(THREADS.empty()) if threads is None else threads
    words = with_threads(explain(pl.DataFrame(pa.Table.from_batches([batch])), midrs), known)
    columns = [words[name].to_arrow().cast(_type(name)) for name in _ADDED]
    return pa.RecordBatch.from_arrays([*moved.columns, *columns], schema=records_schema(True))


def _type(name: str) -> pa.DataType:
    return _TYPES.get(name, pa.bool_())
