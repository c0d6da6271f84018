"""The spans in which a recording could not record (Linux 6.12, drivers/perf/arm_spe_pmu.c)."""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

CAUSES = ("truncated", "collision", "stopped", "missing_data")

RECORDING_GAPS = Table(
    "recording_gaps",
    "1.0",
    "One row per span of an AUX stream in which nothing could be recorded.",
    (
        SOURCE,
        Column("cpu", pa.int32(), "CPU as perf numbers it; null in per-thread recordings"),
        Column("tid", pa.int32(), "thread of the AUX stream; null in per-CPU recordings"),
        Column(
            "start_ns",
            pa.int64(),
            "last record before, or when recording stopped; null: unknown",
            "ns",
        ),
        Column("end_ns", pa.int64(), "first record after; null: none, or none with a time", "ns"),
        Column("cause", NAME, f"one of {', '.join(CAUSES)}", nullable=False),
        Column(
            "records_lost_estimate",
            pa.uint64(),
            "from the rate of records around the span; null where there is no rate",
            "records",
        ),
    ),
)
