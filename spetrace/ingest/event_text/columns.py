"""Columns of tables from what the kernels leave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.ingest.event_text.line_layout import ABSENT

COMMON = ("index", "time_ns", "cpu", "pid", "comm", "tgid", "instance")
"""The columns before a tracepoint's own fields."""

_NUMPY: dict[type[pl.DataType], type[np.generic]] = {
    pl.Boolean: np.bool_,
    pl.Int32: np.int32,
    pl.Int64: np.int64,
    pl.UInt8: np.uint8,
    pl.UInt32: np.uint32,
    pl.UInt64: np.uint64,
}


def column(
    values: npt.NDArray[np.generic], valid: npt.NDArray[np.bool_], type_: pl.DataType
) -> pl.Series:
    """The bits of `values` as `type_`, null where not `valid`."""
    values = values.astype(_NUMPY[type(type_)])
    return owned(pl.Series(values if valid.all() else pa.array(values, mask=~valid)))


def told(values: npt.NDArray[np.int64]) -> pl.Series:
    """CPUs, threads and processes of lines as Int32, null where a line doesn't tell."""
    return column(values, values != ABSENT, pl.Int32())


def owned(series: pl.Series) -> pl.Series:
    """A copy in polars' memory: arrays of numpy's that are kept among big ones that are not leave
    holes in its heap (measured: twice what the tables take).
    """
    return series.gather(np.arange(len(series), dtype=np.uint32))
