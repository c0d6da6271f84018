"""The names of threads over time in a perf recording (PERF_RECORD_COMM, FORK)."""

import pyarrow as pa

from spetrace.tables.table import SOURCE, Column, Table

THREADS = Table(
    "threads",
    "1.0",
    "One row per naming of a thread, in file order.",
    (
        SOURCE,
        Column("time_ns", pa.int64(), "from when on; null: before the recording", "ns"),
        Column("pid", pa.int32(), "process", nullable=False),
        Column("tid", pa.int32(), "thread", nullable=False),
        Column("comm", pa.string(), "name; null for a fork that was never named"),
    ),
)
