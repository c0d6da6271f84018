"""PERF_RECORD_MMAP and MMAP2: which file lay where in whose address space."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.perf_data.abi import Misc, RecordType
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.framing import Block, Rows
from spetrace.ingest.perf_data.record_strings import build_ids, strings
from spetrace.ingest.perf_data.sample_id import parse_sample_ids
from spetrace.quality import Quality

_PATH_AT = {RecordType.MMAP: 40, RecordType.MMAP2: 72}
"""Where the path begins in a record; the fields before it must be there."""
_ID_SIZE_AT, _ID_AT, _PROT_AT = 40, 44, 64
_PROT_EXEC = 4
_NAMED = r"^(\[[^\]]*\])"
_SCHEMA = {
    "time_ns": pl.Int64,
    "pid": pl.Int32,
    "tid": pl.Int32,
    "start": pl.UInt64,
    "size_bytes": pl.UInt64,
    "file_offset": pl.UInt64,
    "executable": pl.Boolean,
    "path": pl.String,
    "build_id": pl.String,
}


def parse_mappings(block: Block, events: EventTable, quality: Quality) -> pl.DataFrame:
    """Table mappings without `source`, of a block's records in their order.

    Records too short for their fields are counted.
    """
    parts = [_parse(block, type_, events, quality) for type_ in _PATH_AT]
    filled = [part for part in parts if len(part)]
    if len(filled) < 2:
        return filled[0].drop("at") if filled else join_mappings([])
    return pl.concat(filled).sort("at").drop("at")


def join_mappings(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The mappings of all parts, one after another."""
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])


def with_build_ids(mappings: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The mappings, with the build ids of `known` (path, build_id) where they lack their own.

    perf puts a symbol's name behind a kernel's in brackets, but only in mappings
    (tools/perf/util/machine.c, `machine__mmap_name`).
    """
    if known.is_empty():
        return mappings
    file = pl.coalesce(pl.col("path").str.extract(_NAMED), "path").alias("file")
    found = known.rename({"path": "file", "build_id": "noted"}).unique("file", keep="first")
    joined = mappings.with_columns(file).join(found, on="file", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("build_id", "noted").alias("build_id")).drop(
        "file", "noted"
    )


def _parse(block: Block, type_: RecordType, events: EventTable, quality: Quality) -> pl.DataFrame:
    rows, path_at = block.rows(type_), _PATH_AT[type_]
    whole = rows[block.sizes[rows] > path_at]
    quality.add("perf_damaged_records", len(rows) - len(whole), f"short {type_.name} records")
    if not len(whole):
        return pl.DataFrame()
    times = parse_sample_ids(block, whole, path_at - 8, events).time_ns
    columns = {
        "at": block.offsets[whole],
        "time_ns": _null_where(times, times <= 0),
        **_owner(block, whole),
        "start": block.u64(whole, 16),
        "size_bytes": block.u64(whole, 24),
        "file_offset": block.u64(whole, 32),
        "executable": _is_executable(block, whole, type_),
        "path": strings(block, whole, path_at),
        "build_id": _own_build_ids(block, whole, type_),
    }
    return pl.DataFrame(columns)


def _owner(block: Block, rows: Rows) -> dict[str, pl.Series]:
    """Process and thread; the kernel, whose mappings name process -1, has neither."""
    pid, tid = block.u32(rows, 8).view(np.int32), block.u32(rows, 12).view(np.int32)
    return {"pid": _null_where(pid, pid < 0), "tid": _null_where(tid, (pid < 0) | (tid < 0))}


def _is_executable(block: Block, rows: Rows, type_: RecordType) -> npt.NDArray[np.bool_]:
    if type_ is RecordType.MMAP2:
        told = block.u32(rows, _PROT_AT) & np.uint32(_PROT_EXEC)
    else:
        told = ~block.misc(rows) & np.uint16(Misc.MMAP_DATA)
    return told.astype(bool)


def _own_build_ids(block: Block, rows: Rows, type_: RecordType) -> pl.Series:
    if type_ is RecordType.MMAP:
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
    has_id = (block.misc(rows) & np.uint16(Misc.MMAP_BUILD_ID)) != 0
    sizes = np.where(has_id, block.data[block.offsets[rows] + _ID_SIZE_AT], 0)
    return build_ids(block, rows, _ID_AT, pl.Series(sizes))


def _null_where(values: npt.NDArray[np.signedinteger], mask: npt.NDArray[np.bool_]) -> pl.Series:
    return pl.Series(values).set(pl.Series(mask), None)
