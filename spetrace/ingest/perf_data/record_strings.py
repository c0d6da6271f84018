"""Strings and build ids inside records, many at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.ingest.event_fields import Records, decode_fields
from spetrace.ingest.event_format import EventField
from spetrace.ingest.field_type import FieldKind, FieldType, Place
from spetrace.ingest.perf_data.framing import Block, Rows

BUILD_ID_BYTES = 20
_TEXT = FieldType(FieldKind.STRING, Place.REST, 1, signed=False)


def strings(block: Block, rows: Rows, at: int) -> pl.Series:
    """The text `at` bytes from the records' starts, up to a NUL or the record's end.

    `at` must lie in the records. What is not UTF-8 becomes U+FFFD.
    """
    data = block.data.view()
    data.flags.writeable = False  # as a file's bytes are, so that kernels are compiled only once
    lengths = block.sizes[rows].astype(np.uint32)
    records = Records(data, block.offsets[rows], lengths, block.order == ">")
    (decoded,) = decode_fields(records, [EventField("text", "char text[]", at, 0, _TEXT)])
    return decoded.values.cast(pl.String)


def build_ids(block: Block, rows: Rows, at: int, sizes: pl.Series) -> pl.Series:
    """The ids `at` bytes from the records' starts as hex digits; null where a size can't be one.

    The 20 bytes from `at` on must lie in the records.
    """
    octets = block.data[(block.offsets[rows] + at)[:, None] + np.arange(BUILD_ID_BYTES)]
    array = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(BUILD_ID_BYTES), len(rows), [None, pa.py_buffer(octets)]
    )
    digits = pl.Series("build_id", pl.from_arrow(array.cast(pa.large_binary()))).bin.encode("hex")
    frame = pl.DataFrame({"build_id": digits, "size": sizes})
    known = pl.col("size").is_between(1, BUILD_ID_BYTES)
    return frame.select(
        pl.when(known).then(pl.col("build_id").str.head(2 * pl.col("size").cast(pl.Int64)))
    )["build_id"]
