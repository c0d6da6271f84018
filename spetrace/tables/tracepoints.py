"""The columns that every tracepoint's table begins with; its own fields follow."""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

TRACEPOINTS = Table(
    "tracepoints",
    "1.0",
    "One row per event of one tracepoint: these columns, then its own fields as in its format file.",
    (
        SOURCE,
        Column(
            "time_ns",
            pa.int64(),
            "time on the session's clock; null where the event has none",
            "ns",
        ),
        Column("cpu", pa.int32(), "host CPU"),
        Column("pid", pa.int32(), "thread (common_pid)"),
        Column("comm", NAME, "thread's name"),
        Column("vcpu", pa.uint16(), "vCPU whose thread this is; null where unknown"),
        Column("vm", pa.uint16(), "VM whose thread this is; null where unknown"),
    ),
)
