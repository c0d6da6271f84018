"""Parts of a text as a column of strings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.ingest.event_text.chunks import Bytes, Places
from spetrace.ingest.field_kernels import gather_bytes


def string_series(data: Bytes, starts: Places, ends: Places) -> pl.Series:
    """The strings data[start:end] (UTF-8, cut between characters), null where end is below 0."""
    is_null = ends < 0
    offsets = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(np.maximum(ends - starts, 0), out=offsets[1:])
    gathered = pa.allocate_buffer(int(offsets[-1]))
    gather_bytes(data, starts, offsets, np.frombuffer(gathered, np.uint8))
    validity = _validity(is_null)
    return pl.Series(
        pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), gathered, validity)
    )


def _validity(is_null: npt.NDArray[np.bool_]) -> pa.Buffer | None:
    if not is_null.any():
        return None
    return pa.py_buffer(np.packbits(~is_null, bitorder="little"))
