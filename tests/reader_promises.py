"""What a reader promises whatever the bytes: tables as they are declared, or one clear sentence."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from spetrace.errors import InputError
from spetrace.quality import COUNTERS
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.events import EVENTS
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.recording import Recording, SpeData
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.table import Table
from spetrace.tables.threads import THREADS

COMMON = {
    "index": pl.UInt64,
    "time_ns": pl.Int64,
    "cpu": pl.Int32,
    "pid": pl.Int32,
    "comm": pl.Categorical,
    "tgid": pl.Int32,
}


def assert_clear(error: InputError, *, lines: int = 0) -> None:
    """The error says on one line which structure is wrong and why; a decoder knows no file.

    In a text of `lines` it says in which of them.
    """
    assert error.structure
    assert error.cause
    assert error.file is None
    assert str(error).isprintable()
    assert str(error).endswith(f"{error.structure}: {error.cause}")
    assert not lines or error.line in range(1, lines + 1)


def assert_as_declared(recording: Recording, size: int, *, decode: bool = True) -> None:
    """All tables of a recording of `size` bytes have their schema, and no more rows than can be.

    Without `decode` SPE records are left alone.
    """
    assert recording.size_bytes == size
    assert set(recording.quality.counts) <= set(COUNTERS)
    assert all(0 < count < 1 << 64 for count in recording.quality.counts.values())
    _assert_tracepoints(recording, size)
    for table, frame in ((MAPPINGS, recording.mappings), (THREADS, recording.threads)):
        if frame is not None:
            _assert_table(frame, table, left_out={"source"})
            assert len(frame) <= size
    if recording.events is not None:
        assert_log(recording.events)
    if decode and recording.spe is not None:
        _assert_spe(recording.spe, size)


def assert_log(events: pa.Table) -> None:
    """An event log: the declared schema, null only where that is allowed, in order of time."""
    assert events.schema.equals(EVENTS.schema)
    assert not list(_needless_nulls(pl.DataFrame(events), EVENTS))
    assert pl.DataFrame(events)["ts"].is_sorted()


def event_rows(recording: Recording) -> int:
    """Events of all tracepoints."""
    return sum(len(recording.tracepoints[name]) for name in recording.tracepoints)


def _assert_tracepoints(recording: Recording, size: int) -> None:
    places: list[int] = []
    for name in recording.tracepoints:
        frame = recording.tracepoints[name]
        assert dict(list(frame.schema.items())[: len(COMMON)]) == COMMON
        assert len(frame)
        places += frame["index"].to_list()
    assert len(set(places)) == len(places)
    assert len(places) <= size


def _assert_spe(spe: SpeData, size: int) -> None:
    _assert_table(spe.aux_records, AUX_RECORDS, left_out={"source"}, added={"stream"})
    assert len(spe.aux_records) * 8 <= size
    bytes_in_records = 0
    for stream, batch in spe.batches():
        assert 0 <= stream < len(spe.stream_cpus)
        assert batch.schema.equals(SPE_RECORDS.schema)
        frame = pl.DataFrame(pl.from_arrow(batch))
        assert not list(_needless_nulls(frame, SPE_RECORDS))
        bytes_in_records += frame["size_bytes"].cast(pl.UInt64).sum()
    assert bytes_in_records <= size, "no byte of the file is in two records"


def _assert_table(
    frame: pl.DataFrame, table: Table, left_out: set[str], added: set[str] = frozenset()
) -> None:
    declared = _types(table)
    assert dict(frame.drop(added).schema) == {
        name: type_ for name, type_ in declared.items() if name not in left_out
    }
    assert not list(_needless_nulls(frame, table))


@functools.cache
def _types(table: Table) -> dict[str, pl.DataType]:
    return dict(pl.DataFrame(table.empty()).schema)


def _needless_nulls(frame: pl.DataFrame, table: Table) -> Iterator[str]:
    """Columns with nulls where the table declares that there are none."""
    for column in table.columns:
        if not column.nullable and column.name in frame and frame[column.name].null_count():
            yield column.name
