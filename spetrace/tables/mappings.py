"""What lay where in the address spaces of a perf recording (PERF_RECORD_MMAP, MMAP2)."""

import pyarrow as pa

from spetrace.tables.table import SOURCE, Column, Table

MAPPINGS = Table(
    "mappings",
    "1.0",
    "One row per mapping of a file that perf recorded, in file order.",
    (
        SOURCE,
        Column("time_ns", pa.int64(), "when it was mapped; null: before the recording", "ns"),
        Column("pid", pa.int32(), "process; null: the kernel"),
        Column("tid", pa.int32(), "thread that mapped it"),
        Column("start", pa.uint64(), "first virtual address", nullable=False),
        Column("size_bytes", pa.uint64(), "length", "bytes", False),
        Column("file_offset", pa.uint64(), "where it begins in the file", "bytes", False),
        Column("executable", pa.bool_(), "PROT_EXEC; null where not recorded"),
        Column("path", pa.string(), "file, or a name in brackets", nullable=False),
        Column("build_id", pa.string(), "GNU build id of the file as hex digits, where recorded"),
    ),
)
