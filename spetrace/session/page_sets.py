"""A set of pages under range assignments and range queries, replayed in order.

How it works: the bounds of all ranges cut the address space into cells; a segment tree over the
cells holds, per node, whether any cell below is in the set, and an assignment that its children
have not seen yet. Every step costs the logarithm of the number of steps, however large its range.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Addresses
from spetrace.spooled import let_go, room

REMOVE, ADD, QUERY, ADD_IF_ANY = range(4)
"""Steps: take the range out, put it in, look at the second range, put it in if that is not empty."""
_NOTHING: Final = 255


def replay_page_set(
    steps: npt.NDArray[np.uint8],
    first: Addresses,
    end: Addresses,
    seen_first: Addresses,
    seen_end: Addresses,
    *,
    full: bool = False,
) -> npt.NDArray[np.bool_]:
    """Run `steps` on the ranges [first, end); `full` says whether all pages are in at the start.

    Gives per step whether [seen_first, seen_end) held any page just before it; false for REMOVE
    and ADD, whose second range is not looked at.
    """
    ranges = (first, end, seen_first, seen_end)
    return PageSet(np.unique(np.concatenate(ranges)), full=full).replay(steps, *ranges)


class PageSet:
    """The set between steps; `bounds` are those of all ranges, in order and each once."""

    def __init__(self, bounds: Addresses, *, full: bool = False) -> None:
        self._bounds = bounds
        self._depth = max(1, len(bounds).bit_length())
        self._nodes = room(2 << self._depth, np.uint8(full), np.uint8(_NOTHING))

    def replay(
        self,
        steps: npt.NDArray[np.uint8],
        first: Addresses,
        end: Addresses,
        seen_first: Addresses,
        seen_end: Addresses,
    ) -> npt.NDArray[np.bool_]:
        """Run the next steps; see `replay_page_set`."""
        low, high, seen_low, seen_high = (
            np.searchsorted(self._bounds, b) for b in (first, end, seen_first, seen_end)
        )
        held, pending = self._nodes
        found = _replay(steps, low, high, seen_low, seen_high, held, pending, self._depth)
        let_go(held)
        return found


@numba.njit(cache=True, nogil=True)
def _replay(
    steps: Any, first: Any, end: Any, seen_first: Any, seen_end: Any,
    held: Any, pending: Any, depth: int,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    result = np.zeros(len(steps), np.bool_)
    for i in range(len(steps)):
        step = steps[i]
        if step >= QUERY:
            result[i] = _any(held, pending, depth, seen_first[i], seen_end[i])
        if step < QUERY or (step == ADD_IF_ANY and result[i]):
            _assign(held, pending, depth, first[i], end[i], 0 if step == REMOVE else 1)
    return result


@numba.njit(cache=True, nogil=True)
def _set_node(held: Any, pending: Any, node: int, value: int) -> None:
    held[node] = value
    pending[node] = value


@numba.njit(cache=True, nogil=True)
def _push(held: Any, pending: Any, depth: int, leaf: int) -> None:
    """Hand the assignments above `leaf` down, from the root on."""
    for shift in range(depth, 0, -1):
        node = leaf >> shift
        if pending[node] != _NOTHING:
            _set_node(held, pending, 2 * node, pending[node])
            _set_node(held, pending, 2 * node + 1, pending[node])
            pending[node] = _NOTHING


@numba.njit(cache=True, nogil=True)
def _pull(held: Any, pending: Any, leaf: int) -> None:
    """Make the nodes above `leaf` agree with their children."""
    node = leaf >> 1
    while node:
        if pending[node] == _NOTHING:
            held[node] = held[2 * node] | held[2 * node + 1]
        node >>= 1


@numba.njit(cache=True, nogil=True)
def _assign(held: Any, pending: Any, depth: int, first: int, end: int, value: int) -> None:
    if first >= end:
        return
    low, high = first + (1 << depth), end + (1 << depth)
    left, right = low, high - 1
    _push(held, pending, depth, left)
    _push(held, pending, depth, right)
    while low < high:
        if low & 1:
            _set_node(held, pending, low, value)
            low += 1
        if high & 1:
            high -= 1
            _set_node(held, pending, high, value)
        low >>= 1
        high >>= 1
    _pull(held, pending, left)
    _pull(held, pending, right)


@numba.njit(cache=True, nogil=True)
def _any(held: Any, pending: Any, depth: int, first: int, end: int) -> bool:
    if first >= end:
        return False
    low, high = first + (1 << depth), end + (1 << depth)
    _push(held, pending, depth, low)
    _push(held, pending, depth, high - 1)
    while low < high:
        if low & 1:
            if held[low]:
                return True
            low += 1
        if high & 1:
            high -= 1
            if held[high]:
                return True
        low >>= 1
        high >>= 1
    return False
