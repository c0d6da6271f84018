"""What each input lost or holds that is odd."""

import pyarrow as pa

from spetrace.tables.table import NAME, Column, Table

QUALITY = Table(
    "quality",
    "1.1",
    "One row per input and counter of loss or oddity that is not zero.",
    (
        Column(
            "source", pa.uint16(), "input file: index into session.json's inputs; null: session"
        ),
        Column("counter", NAME, "name of the counter", nullable=False),
        Column("severity", NAME, "info, warning or data_loss", nullable=False),
        Column("count", pa.uint64(), "how many", nullable=False),
        Column("remedy", pa.string(), "what to do about it", nullable=False),
        Column("detail", pa.string(), "what exactly, where that is known"),
    ),
)
