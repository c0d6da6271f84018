"""The names of threads at given times, as perf script tells them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

_BEFORE = np.iinfo(np.int64).min
_IDLE = "swapper"
"""What perf calls thread 0, which no record names (tools/perf/util/session.c)."""


class ThreadNames:
    """Looks names up in a table threads (`Recording.threads`)."""

    def __init__(self, threads: pl.DataFrame) -> None:
        idle = pl.DataFrame({"time_ns": None, "tid": 0, "comm": _IDLE}, schema_overrides=_TYPES)
        named = pl.concat([idle, threads.select("time_ns", "tid", "comm")])
        named = named.filter(pl.col("tid") >= 0).sort("tid", "time_ns", maintain_order=True)
        tids, starts = np.unique(named["tid"].to_numpy(), return_index=True)
        self._tids = tids
        self._bounds = np.append(starts, len(named)).astype(np.int64)
        self._times = named["time_ns"].fill_null(_BEFORE).to_numpy()
        self._names = pl.concat([named["comm"], pl.Series([None], dtype=pl.String)]).cast(
            pl.Categorical
        )

    def at(self, tids: npt.NDArray[np.int32], times: npt.NDArray[np.int64]) -> pl.Series:
        """The name of each of `tids` at each of `times`: its last until then; null where unknown."""
        places = np.full(len(tids), len(self._names) - 1, np.uint32)
        _find(self._tids, self._bounds, self._times, tids, times, places)
        return self._names[places]


_TYPES = {"time_ns": pl.Int64, "tid": pl.Int32, "comm": pl.String}


@njit(cache=True, nogil=True)
def _find(known, bounds, since, tids, times, places):  # type: ignore[no-untyped-def]
    """Where known[k] == tids[i]: places[i] = the last place from bounds[k] to bounds[k + 1] with
    since[place] <= times[i].
    """
    k = 0
    for i in range(len(tids)):
        if known[k] != tids[i]:
            k = min(np.searchsorted(known, tids[i]), len(known) - 1)
        if known[k] == tids[i]:
            low, high = bounds[k], bounds[k + 1]
            while low < high:
                middle = (low + high) // 2
                if since[middle] <= times[i]:
                    low = middle + 1
                else:
                    high = middle
            if low > bounds[k]:
                places[i] = low - 1
