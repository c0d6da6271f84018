"""What a file says of threads: their names, and the processes that they belong to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

_PID_LIMIT = 1 << 22
"""PID_MAX_LIMIT of 64-bit kernels (Linux 6.12 include/linux/threads.h)."""
_IDLE = "<idle>"
UNKNOWN_PID = _PID_LIMIT
"""A number that no thread has."""


class Threads:
    """Names and processes by pid; pid 0 is `<idle>`, as trace-cmd names it."""

    def __init__(self, comms: dict[int, str], tgids: dict[int, int]) -> None:
        known = {pid: comm for pid, comm in comms.items() if 0 < pid < _PID_LIMIT} | {0: _IDLE}
        names = sorted(set(known.values()))
        code = {name: i for i, name in enumerate(names)}
        self._names = pl.Series([*names, None], dtype=pl.Categorical)
        self._codes = _by_pid(len(names), {pid: code[comm] for pid, comm in known.items()})
        processes = {p: t for p, t in tgids.items() if 0 < p < _PID_LIMIT and 0 < t < _PID_LIMIT}
        self._tgids = _by_pid(0, processes)
        self._has_tgids = bool(processes)

    def comms(self, pids: npt.NDArray[np.int32]) -> pl.Series:
        """The names of `pids` as Categorical, null where unknown."""
        return self._names[_of(self._codes, pids)]

    def tgids(self, pids: npt.NDArray[np.int32]) -> pl.Series:
        """The processes of `pids` as Int32, null where unknown."""
        if not self._has_tgids:
            return pl.Series([None], dtype=pl.Int32).new_from_index(0, len(pids))
        found = pl.Series(_of(self._tgids, pids).view(np.int32))
        return found.set(found == 0, None)


def _by_pid(unknown: int, values: dict[int, int]) -> npt.NDArray[np.uint32]:
    """The values by pid; behind the largest pid stands `unknown`."""
    table = np.full(max(values, default=-1) + 2, unknown, np.uint32)
    table[list(values)] = list(values.values())
    return table


def _of(table: npt.NDArray[np.uint32], pids: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    found: npt.NDArray[np.uint32] = table[
        np.minimum(pids.view(np.uint32), np.uint32(len(table) - 1))
    ]
    return found
