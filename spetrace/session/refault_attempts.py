"""Which of several faults on an unmapped page are a vCPU's first after the unmap: the others are retries.

How it works: a table with open addressing has, by vCPU and page, the newest unmap after which a fault
came. It is at most half full.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.spooled import let_go, room

_FREE: Final = -1
_VCPU_BITS: Final = 16
_FEWEST: Final = 1 << 12
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: spreads neighbours."""


class Attempts:
    """Takes the faults of one VM in order; held is one entry per vCPU and page of them."""

    def __init__(self) -> None:
        self._count = 0
        self._table = _empty(_FEWEST)

    def are_first(
        self, vcpu: npt.NDArray[np.int32], page: Integers, unmap: Integers
    ) -> npt.NDArray[np.bool_]:
        """Which of the next faults are the first after the event `unmap`; pages are numbers below 2^47."""
        keys = page << _VCPU_BITS | vcpu
        while 2 * (self._count + len(keys)) > len(self._table[0]):
            self._table = self._grown()
        is_first = np.empty(len(keys), np.bool_)
        self._count += _enter(keys, unmap, *self._table, is_first)
        let_go(self._table[0])
        return is_first

    def _grown(self) -> tuple[Integers, Integers]:
        grown = _empty(2 * len(self._table[0]))
        _enter_all(*self._table, *grown)
        return grown


def _empty(size: int) -> tuple[Integers, Integers]:
    """Keys and unmaps of a table; `size` is a power of two."""
    keys, unmaps = room(size, np.int64(_FREE), np.int64(_FREE))
    return keys, unmaps


@numba.njit(cache=True, nogil=True)
def _place(keys: Any, key: int) -> int:
    """Where a key is, or would be."""
    mask = np.uint64(len(keys) - 1)
    mixed = np.uint64(key) * _MIX
    at = (mixed >> np.uint64(32)) & mask
    while keys[at] != _FREE and keys[at] != key:
        at = (at + np.uint64(1)) & mask
    return int(at)


@numba.njit(cache=True, nogil=True)
def _enter(keys: Any, unmaps: Any, table_keys: Any, table_unmaps: Any, is_first: Any) -> int:
    """Enter all keys with their unmaps; returns how many keys are new."""
    count = 0
    for i in range(len(keys)):
        at = _place(table_keys, keys[i])
        count += table_keys[at] == _FREE
        table_keys[at] = keys[i]
        is_first[i] = table_unmaps[at] < unmaps[i]
        table_unmaps[at] = max(table_unmaps[at], unmaps[i])
    return count


@numba.njit(cache=True, nogil=True)
def _enter_all(keys: Any, unmaps: Any, table_keys: Any, table_unmaps: Any) -> None:
    for i in range(len(keys)):
        if keys[i] != _FREE:
            at = _place(table_keys, keys[i])
            table_keys[at] = keys[i]
            table_unmaps[at] = unmaps[i]
