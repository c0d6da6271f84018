"""Sorted runs of times merged to one order."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers


def merged_order(times: Integers, bounds: npt.NDArray[np.intp]) -> Integers:
    """The order that sorts `times` stably: run n of them, bounds[n] to bounds[n + 1], is sorted."""
    keys, order = times.copy(), np.arange(len(times))
    keys_to, order_to = np.empty((2, len(times)), np.int64)
    while len(bounds) > 2:
        _merge_pairs(keys, order, keys_to, order_to, bounds)
        keys, keys_to, order, order_to = keys_to, keys, order_to, order
        bounds = np.append(bounds[:-1:2], bounds[-1])
    return order


@numba.njit(cache=True, nogil=True)
def _merge_pairs(keys: Any, order: Any, keys_to: Any, order_to: Any, bounds: Any) -> None:
    """Make one run of each two neighbours; the last of an odd number is copied."""
    for pair in range(0, len(bounds) - 1, 2):
        first, middle, end = bounds[pair], bounds[pair + 1], bounds[pair + 1]
        if pair + 2 < len(bounds):
            end = bounds[pair + 2]
        second = middle
        for out in range(first, end):
            if second >= end or (first < middle and keys[first] <= keys[second]):
                keys_to[out], order_to[out] = keys[first], order[first]
                first += 1
            else:
                keys_to[out], order_to[out] = keys[second], order[second]
                second += 1
