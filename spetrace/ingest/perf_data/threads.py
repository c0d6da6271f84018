"""PERF_RECORD_COMM and FORK: what threads are called, and from when on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.perf_data.abi import RecordType
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.framing import Block
from spetrace.ingest.perf_data.record_strings import strings
from spetrace.ingest.perf_data.sample_id import parse_sample_ids
from spetrace.quality import Quality

_COMM_AT = 16
_FORK_TIME_AT, _FORK_BYTES = 24, 32
_SCHEMA = {
    "at": pl.Int64,
    "time_ns": pl.Int64,
    "pid": pl.Int32,
    "tid": pl.Int32,
    "parent": pl.Int32,
    "comm": pl.String,
}


def parse_namings(block: Block, events: EventTable, quality: Quality) -> pl.DataFrame:
    """The COMM and FORK records of a block in their order: who, when, and whose child or what name.

    `parent` is the thread that forked, null in COMM records. Records too short are counted.
    """
    found = [_comms(block, events, quality), _forks(block, events, quality)]
    return pl.concat(found).sort("at")


def name_threads(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Table threads without `source`, of the namings of all blocks, in file order.

    A forked thread has the name that its parent had at that time; of one time, in file order.
    """
    namings = pl.concat([pl.DataFrame(schema=_SCHEMA), *parts]).with_row_index("row")
    if namings["parent"].null_count() == len(namings):
        return namings.drop("row", "at", "parent")
    by_time = namings.sort("time_ns", "row", nulls_last=False).with_row_index("place")
    place = pl.col("place").cast(pl.Int64)
    threads = by_time.select(place.set_sorted(), "tid")
    forks = by_time.filter(pl.col("parent").is_not_null()).select(place.set_sorted(), "parent")
    parents = forks.join_asof(
        threads.with_columns(place.alias("named")),
        on="place",
        by_left="parent",
        by_right="tid",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    source = np.arange(len(by_time))
    source[forks["place"].to_numpy()] = parents["named"].fill_null(-1).to_numpy()
    name = pl.Series(_resolved(source))
    comm = by_time["comm"].gather(name.set(name < 0, None))
    return by_time.with_columns(comm.alias("comm")).sort("row").drop("row", "place", "at", "parent")


def _resolved(source: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each chain of sources ends: at a row that is its own source, or nowhere (-1).

    Every other row's source comes before it. Each step halves the chains.
    """
    while True:
        further = np.where(source >= 0, source[source], -1)
        if np.array_equal(further, source):
            return source
        source = further


def _comms(block: Block, events: EventTable, quality: Quality) -> pl.DataFrame:
    rows = block.rows(RecordType.COMM)
    whole = rows[block.sizes[rows] > _COMM_AT]
    quality.add("perf_damaged_records", len(rows) - len(whole), "short COMM records")
    if not len(whole):
        return pl.DataFrame(schema=_SCHEMA)
    columns = {
        "at": block.offsets[whole],
        "time_ns": _times(parse_sample_ids(block, whole, _COMM_AT - 8, events).time_ns),
        "pid": block.u32(whole, 8).view(np.int32),
        "tid": block.u32(whole, 12).view(np.int32),
        "parent": None,
        "comm": strings(block, whole, _COMM_AT),
    }
    return pl.DataFrame(columns, schema=_SCHEMA)


def _forks(block: Block, events: EventTable, quality: Quality) -> pl.DataFrame:
    rows = block.rows(RecordType.FORK)
    whole = rows[block.sizes[rows] >= _FORK_BYTES]
    quality.add("perf_damaged_records", len(rows) - len(whole), "short FORK records")
    if not len(whole):
        return pl.DataFrame(schema=_SCHEMA)
    times = parse_sample_ids(block, whole, _FORK_BYTES - 8, events).time_ns
    own = block.u64(whole, _FORK_TIME_AT).view(np.int64)
    columns = {
        "at": block.offsets[whole],
        "time_ns": _times(np.where(times < 0, own, times)),
        "pid": block.u32(whole, 8).view(np.int32),
        "tid": block.u32(whole, 16).view(np.int32),
        "parent": block.u32(whole, 20).view(np.int32),
        "comm": None,
    }
    return pl.DataFrame(columns, schema=_SCHEMA)


def _times(times: npt.NDArray[np.int64]) -> pl.Series:
    """Times, null where perf made the record itself, for what was there before it recorded."""
    return pl.Series(times).set(pl.Series(times <= 0), None)
