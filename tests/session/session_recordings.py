"""Recordings built by hand: a host's trace from lines of events, and SPE data from records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.session.assemble import assemble_streamed
from spetrace.session.event_logs import table_of
from spetrace.session.event_run import EventRun
from spetrace.session.merge import in_pieces, merged_batches
from spetrace.session.options import SessionOptions
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.recording import Recording, TimeConversion
from spetrace.tables.session import Session
from spetrace.tables.spe_records import SPE_RECORDS

COMMON = {
    "index": pl.UInt64, "time_ns": pl.Int64, "cpu": pl.Int32, "pid": pl.Int32,
    "comm": pl.Categorical, "tgid": pl.Int32,
}  # fmt: skip
FETCH = 0x82000007
READ = 0x92000007
WRITE = 0x92000047
BLOCK_WRITE = 0x92000046
PERMISSION_WRITE = 0x9200004F
PERMISSION_READ = 0x9200000F


def event(name: str, time: int, pid: int = 10, **fields: Any) -> dict[str, Any]:
    """One event of a host's trace; `comm` and `tgid` may be among the fields."""
    return {"name": name, "time_ns": time, "pid": pid} | fields


def host(events: list[dict[str, Any]], name: str = "host.dat", **recording: Any) -> Recording:
    """A host's trace of `events` in recorded order."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for index, row in enumerate(events):
        common = {"index": index, "cpu": 0, "comm": "kvm-vcpu-0", "tgid": None}
        fields = {k: v for k, v in row.items() if k != "name"}
        rows.setdefault(row["name"], []).append(common | fields)
    frames = {name: _frame(own) for name, own in rows.items()}
    return Recording(name, "trace.dat", 1, tracepoints=frames, **({"clock": "local"} | recording))


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    own = {k: pl.UInt64 for row in rows for k in row if k not in COMMON}
    return pl.DataFrame(rows, schema=COMMON | own)


@dataclass
class FakeSpe:
    """SPE data as lists: `aux` of (stream, time, offset, size), `records` of (stream, offset,
    size, time, level)."""

    aux: list[tuple[int, int | None, int, int]]
    records: list[tuple[int, int, int, int | None, int | None]]
    stream_cpus: list[int | None] = field(default_factory=lambda: [0])
    time_conversion: TimeConversion | None = None
    exclude_user: bool = False
    exclude_kernel: bool = False
    aux_area_bytes: int | None = None
    midrs: dict[int | None, int] = field(default_factory=dict)
    most_rows: int = 3

    @property
    def stream_tids(self) -> list[int | None]:
        return [None] * len(self.stream_cpus)

    @property
    def aux_records(self) -> pl.DataFrame:
        count = len(self.aux)
        columns: dict[str, Any] = {
            "source": [0] * count,
            "time_ns": [a[1] for a in self.aux],
            "aux_offset": [a[2] for a in self.aux],
            "size_bytes": [a[3] for a in self.aux],
            "flags": [0] * count,
        }
        flags = dict.fromkeys(("truncated", "overwrite", "partial", "collision"), [False] * count)
        frame = pl.from_arrow(AUX_RECORDS.from_columns(columns | flags, count))
        stream = pl.Series("stream", [a[0] for a in self.aux], pl.UInt32)
        return frame.drop("source").with_columns(stream)

    def excludes(self, stream: int) -> tuple[bool, bool]:
        return self.exclude_user, self.exclude_kernel

    def segments(self, stream: int) -> Any:
        """One piece per record: bytes that no record is in are missing."""
        for _, offset, size, _, _ in (r for r in self.records if r[0] == stream):
            yield ((offset, np.zeros(size, np.uint8)),)

    def batches(self, columns: Any = None, source: int = 0, *, in_order: bool = True) -> Any:
        table = SPE_RECORDS.select(columns or SPE_RECORDS.names)
        for stream in range(len(self.stream_cpus)):
            for record in (r for r in self.records if r[0] == stream):
                values = {
                    "source": [source],
                    "aux_offset": [record[1]],
                    "size_bytes": [record[2]],
                    "time_ns": [record[3]],
                    "pc_exception_level": [record[4]],
                }
                rows = table.from_columns({k: v for k, v in values.items() if k in table.names}, 1)
                yield stream, rows.to_batches()[0]

    def stream_batches(self, stream: int, columns: Any, batch_rows: int) -> Any:
        own = [batch for number, batch in self.batches(columns) if number == stream]
        if own:
            table = pa.Table.from_batches(own).combine_chunks()
            yield from table.to_batches(max_chunksize=min(batch_rows, self.most_rows))


def spe(data: FakeSpe, name: str = "guest.perf.data") -> Recording:
    return Recording(name, "perf.data", 1, clock="perf", spe=data)


def merged(runs: list[EventRun], chunk_rows: int = 1 << 18) -> pa.Table:
    """The event log of runs that are in memory."""
    sources = [in_pieces(run, max(1, chunk_rows // 4)) for run in runs]
    return table_of(merged_batches(sources, chunk_rows))


def rows(events: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    """The events' columns as tuples, row by row."""
    return [tuple(row[c] for c in columns) for row in events.to_pylist()]


def of_kind(events: pa.Table, *kinds: str) -> pa.Table:
    frame = pl.from_arrow(events)
    return frame.filter(pl.col("kind").cast(pl.String).is_in(kinds)).to_arrow()


def whole_session(recordings: list[Recording], options: SessionOptions) -> Session:
    """The session with its tables, as `spetrace ingest` has it, and its event log in memory."""
    session = assemble_streamed(recordings, options)
    session.events = table_of([*session.events.to_batches(), *session.event_batches])
    return session
