"""What a recording of SPE data tells of its AUX area: records that came, and spans without any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import polars as pl
import pyarrow as pa

from spetrace.export.columns import ROW, marks_of, timed
from spetrace.export.tracks import Form, Kind, Marks, Track
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.recording_gaps import RECORDING_GAPS

_STREAM: Final = ("source", "cpu", "tid")
_FLAGS: Final = ("truncated", "overwrite", "partial", "collision")
_AFTER_VMS: Final = 1 << 17


def aux_marks(
    tables: Mapping[str, pa.Table], inputs: Sequence[Mapping[str, Any]]
) -> Iterator[Marks]:
    """Marks of the tables aux_records and recording_gaps, below a track per input file.

    A gap whose start is not known begins where it ends.
    """
    if len(tables.get(AUX_RECORDS.name, ())):
        yield _aux_records(_frame(tables[AUX_RECORDS.name]), inputs)
    if len(tables.get(RECORDING_GAPS.name, ())):
        yield _gaps(_frame(tables[RECORDING_GAPS.name]), inputs)


def _frame(table: pa.Table) -> pl.DataFrame:
    # Of a recording per CPU the thread of an AUX record is only who ran there.
    tid = pl.when(pl.col("cpu").is_null()).then(pl.col("tid"))
    return pl.DataFrame(pl.from_arrow(table)).with_columns(tid.alias("tid"))


def _aux_records(records: pl.DataFrame, inputs: Sequence[Mapping[str, Any]]) -> Marks:
    flags = [pl.when(pl.col(flag)).then(pl.lit(flag)) for flag in _FLAGS]
    name = pl.concat_str(flags, separator=", ", ignore_nulls=True)
    return marks_of(
        timed(records, "time_ns"),
        Kind.INSTANT,
        "spe",
        _STREAM,
        partial(_stream_track, inputs, "AUX records", 0),
        start="time_ns",
        name=pl.when(name == "").then(pl.lit("data")).otherwise(name),
        details={
            "aux_offset": Form.ADDRESS, "size_bytes": Form.NUMBER, "flags": Form.ADDRESS,
            ROW: Form.NUMBER,
        },
    )  # fmt: skip


def _gaps(gaps: pl.DataFrame, inputs: Sequence[Mapping[str, Any]]) -> Marks:
    start = pl.coalesce("start_ns", "end_ns")
    return marks_of(
        timed(gaps.with_columns(start.alias("start")), "start"),
        Kind.SLICE,
        "spe",
        _STREAM,
        partial(_stream_track, inputs, "gaps", 1),
        start="start",
        end="end_ns",
        name=pl.col("cause"),
        details={"records_lost_estimate": Form.NUMBER, ROW: Form.NUMBER},
    )


def _stream_track(
    inputs: Sequence[Mapping[str, Any]],
    what: str,
    rank: int,
    source: int,
    cpu: int | None,
    tid: int | None,
) -> Track:
    file = inputs[source].get("name", source) if source < len(inputs) else source
    top = Track(f"AUX area of {file}", rank=_AFTER_VMS + source)
    stream = f"thread {tid}" if cpu is None else f"CPU {cpu}"
    number = (tid if cpu is None else cpu) or 0
    return Track(f"{stream} {what}", parent=top, rank=min(max(number, 0), 1 << 29) * 2 + rank)
