"""The SPE records of a session as its folder holds them: on its clock, in words where asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from spetrace.arm.explanation import EXPLAINED_COLUMNS, explain
from spetrace.tables.recording import Recording, SpeData
from spetrace.tables.spe_records import SPE_RECORDS

_TIME = SPE_RECORDS.names.index("time_ns")
_WORDS = pa.list_(pa.string())


def records_schema(explained: bool) -> pa.Schema:
    """The schema of table spe_records, with the columns of `explain` behind where `explained`."""
    schema = SPE_RECORDS.schema
    if explained:
        for name, doc in EXPLAINED_COLUMNS.items():
            schema = schema.append(pa.field(name, _explained_type(name), metadata={"doc": doc}))
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
                yield _explained(moved, recording.spe) if explained else moved


def _moved(batch: pa.RecordBatch, offset_ns: int) -> pa.RecordBatch:
    if not offset_ns:
        return batch
    times = pc.add(batch.column(_TIME), pa.scalar(offset_ns, pa.int64()))
    return batch.set_column(_TIME, batch.schema.field(_TIME), times)


def _explained(batch: pa.RecordBatch, spe: SpeData) -> pa.RecordBatch:
    words = explain(pl.DataFrame(pa.Table.from_batches([batch])), spe.midrs)
    columns = [words[name].to_arrow().cast(_explained_type(name)) for name in EXPLAINED_COLUMNS]
    return pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=records_schema(True))


def _explained_type(name: str) -> pa.DataType:
    if name == "event_names":
        return _WORDS
    if name in ("operation_name", "data_source_name", "memory_level", "memory_snoop"):
        return pa.string()
    return pa.bool_()
