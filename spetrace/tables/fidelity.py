"""How well the records that survive a strategy stand for all of them."""

import pyarrow as pa

from spetrace.tables.table import NAME, Column, Table

MEASURES = ("pc", "data_source", "operation", "latency_p50", "latency_p99")

FIDELITY = Table(
    "fidelity",
    "1.0",
    "One row per strategy and measure: the surviving records compared with all of them.",
    (
        Column("strategy", NAME, "strategy", nullable=False),
        Column("measure", NAME, f"one of {', '.join(MEASURES)}", nullable=False),
        Column("basis", pa.string(), "what is compared: functions, 4 KiB pages, data sources, ...", nullable=False),
        Column("unit", pa.string(), "of value and noise: 1 (total variation distance) or cycles", nullable=False),
        Column("records", pa.uint64(), "records that have what is measured", "records", False),
        Column("surviving", pa.uint64(), "those of them that are captured", "records", False),
        Column("value", pa.float64(),
               "total variation distance (0: the same, 1: disjoint), or the surviving records' "
               "percentile less that of all; null where none survives"),
        Column("noise_p50", pa.float64(), "median of the same (its magnitude) after random losses of that size"),
        Column("noise_p95", pa.float64(), "95th percentile of the same"),
        Column("is_skewed", pa.bool_(), "whether the value's magnitude passes noise_p95"),
    ),
)  # fmt: skip
