"""One row per PERF_RECORD_AUX (include/uapi/linux/perf_event.h, Linux 6.12)."""

import pyarrow as pa

from spetrace.tables.table import SOURCE, Column, Table

AUX_RECORDS = Table(
    "aux_records",
    "1.0",
    "One row per PERF_RECORD_AUX of an SPE event.",
    (
        SOURCE,
        Column("cpu", pa.int32(), "CPU as perf numbers it; null in per-thread recordings"),
        Column("tid", pa.int32(), "thread"),
        Column("pid", pa.int32(), "process"),
        Column("time_ns", pa.int64(), "when the record was written", "ns"),
        Column("aux_offset", pa.uint64(), "start in the AUX stream", "bytes", False),
        Column("size_bytes", pa.uint64(), "bytes that became available", "bytes", False),
        Column("flags", pa.uint64(), "as recorded", nullable=False),
        Column("truncated", pa.bool_(), "flag 0x01", nullable=False),
        Column("overwrite", pa.bool_(), "flag 0x02", nullable=False),
        Column("partial", pa.bool_(), "flag 0x04", nullable=False),
        Column("collision", pa.bool_(), "flag 0x08", nullable=False),
    ),
)
