"""AUX records as a table of rows for people and the session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.ingest.perf_data.abi import AuxFlag
from spetrace.ingest.perf_data.aux_records import AuxRecords
from spetrace.ingest.perf_data.aux_streams import AuxStream
from spetrace.ingest.perf_data.framing import Rows
from spetrace.ingest.perf_data.sample_id import Values
from spetrace.quality import Quality


def build_aux_frame(aux: AuxRecords, of_stream: Rows, streams: Sequence[AuxStream]) -> pl.DataFrame:
    """Table aux_records without `source`, plus `stream` (uint32), in file order."""
    stream_cpus = np.array([-1 if s.cpu is None else s.cpu for s in streams], np.int64)
    cpu = np.where(aux.cpu >= 0, aux.cpu, stream_cpus[of_stream] if len(streams) else -1)
    columns = {
        "cpu": _or_null(cpu, pl.Int32),
        "tid": _or_null(aux.tid, pl.Int32),
        "pid": _or_null(aux.pid, pl.Int32),
        "time_ns": _or_null(aux.time_ns, pl.Int64),
        "aux_offset": pl.Series(aux.aux_offset).cast(pl.UInt64),
        "size_bytes": pl.Series(aux.size_bytes).cast(pl.UInt64),
        "flags": pl.Series(aux.flags, dtype=pl.UInt64),
    }
    flags = {(flag.name or "").lower(): _has(aux, flag) for flag in AuxFlag}
    return pl.DataFrame({**columns, **flags, "stream": pl.Series(of_stream).cast(pl.UInt32)})


def count_aux_flags(aux: AuxRecords, quality: Quality) -> None:
    """Count the AUX records that say that something was lost."""
    for flag in (AuxFlag.TRUNCATED, AuxFlag.PARTIAL, AuxFlag.COLLISION):
        quality.add(f"aux_{(flag.name or '').lower()}", int(_has(aux, flag).sum()))


def _has(aux: AuxRecords, flag: AuxFlag) -> npt.NDArray[np.bool_]:
    return (aux.flags & np.uint64(flag)).astype(bool)


def _or_null(values: Values, dtype: type[pl.DataType]) -> pl.Series:
    series = pl.Series(values)
    return series.set(series < 0, None).cast(dtype)
