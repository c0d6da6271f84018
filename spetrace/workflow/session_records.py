"""The SPE records of a session as its folder holds them: on its clock, in words where asked."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from spetrace.arm.explanation import EXPLAINED_COLUMNS, explain
from spetrace.arm.threads import THREAD_COLUMNS, with_threads
from spetrace.background import in_background, until
from spetrace.report.atomic import write_batches
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import Recording
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.threads import THREADS

SPE_FILE: Final = "spe_records.parquet"
Clocks = Sequence[dict[str, Any]]
"""A session's clocks: what each input's times are moved by to be on its own."""
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


class RecordsFile:
    """Table spe_records of some recordings on its way to a file, in a thread beside the main one."""

    def __init__(self, clocks: Future[Clocks], rows: Future[int | None]) -> None:
        self._clocks = clocks
        self._rows = rows

    def settle(self, clocks: Clocks) -> None:
        """Say what the session's clocks are: no record is written before that."""
        if not self._clocks.done():
            self._clocks.set_result(clocks)

    def rows(self) -> dict[str, int]:
        """Wait for the file, and give its rows by its name; empty where no recording has SPE data.

        Raises OutputError.
        """
        rows = self._rows.result()
        return {} if rows is None else {SPE_FILE: rows}


@contextmanager
def writing_records(
    recordings: Sequence[Recording],
    folder: Path,
    progress: Callable[[float], None],
    *,
    explained: bool,
) -> Iterator[RecordsFile]:
    """The file of all recordings' records in `folder`, in words where `explained`, while the block runs."""
    settled: Future[Clocks] = Future()

    def write(stop: Event) -> int | None:
        if not any(recording.spe for recording in recordings):
            return None
        with closing(session_records(recordings, settled.result(), explained, progress)) as batches:
            schema = records_schema(explained)
            return write_batches(until(stop, batches), schema, folder / SPE_FILE)

    with in_background(write) as rows:
        try:
            yield RecordsFile(settled, rows)
        finally:
            settled.cancel()


def has_own_clock(recordings: Sequence[Recording], options: SessionOptions) -> bool:
    """Whether a session's clock is sure to be its only input's: there is no host, no offset given."""
    given = (options.clock_offset_ns, options.session_toml, options.event_map)
    return len(recordings) == 1 and not recordings[0].tracepoints and given == (None, None, None)


def session_records(
    recordings: Sequence[Recording],
    clocks: Clocks,
    explained: bool,
    progress: Callable[[float], None],
) -> Generator[pa.RecordBatch, None, None]:
    """The records of all recordings, stream after stream, as `records_schema` says.

    `progress` is told by the bytes of the records that went by, of those that AUX records announce.
    """
    offsets = {clock["source"]: clock.get("offset_ns") or 0 for clock in clocks}
    whole, done = sum(map(_aux_bytes, recordings)), 0
    for source, recording in enumerate(recordings):
        if recording.spe:
            for _stream, batch in recording.spe.batches(source=source):
                done += pc.sum(batch.column("size_bytes")).as_py() or 0
                progress(min(done / whole, 1.0) if whole else 0.0)
                moved = _moved(batch, offsets.get(source, 0))
                yield _explained(moved, batch, recording) if explained else moved


def _aux_bytes(recording: Recording) -> int:
    return int(recording.spe.aux_records["size_bytes"].sum()) if recording.spe else 0


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
