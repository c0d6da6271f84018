"""How many pages a stage 2 maps, and maps writable, after each change of a range of pages.

How it works: the bounds of all ranges cut the address space into cells; a segment tree over the
cells holds, per node, how many pages below are mapped and writable, and a change that its children
have not seen yet. A change is a function from a page's state to its next one, and two changes in
turn are again one of the six, so every step costs the logarithm of the number of steps, however
large its range.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Addresses, Integers
from spetrace.spooled import let_go, room

UNMAP, MAP_READ_ONLY, MAP_WRITABLE, WRITE_PROTECT = range(4)
"""Steps. A read-only map leaves pages writable that are; as in the replay's stage 2."""

# Each change as the states that unmapped, read-only and writable pages take; the last two are what
# steps in turn can come to.
_CHANGES: Final = ((0, 0, 0), (1, 1, 2), (2, 2, 2), (0, 1, 1), (0, 1, 2), (1, 1, 1))
_UNCHANGED: Final = 4
_ALL_READ_ONLY: Final = 5
_THEN: Final = np.array(
    [[_CHANGES.index((b[a[0]], b[a[1]], b[a[2]])) for b in _CHANGES] for a in _CHANGES],
    np.uint8,
)
"""[first, second]: the change that both make, one after the other."""


def replay_page_counts(
    steps: npt.NDArray[np.uint8], first: Addresses, end: Addresses
) -> tuple[Integers, Integers]:
    """Mapped and writable pages after each of `steps` on the pages [first, end); none at the start.

    Pages are numbers below 2^63.
    """
    return PageCounts(np.unique(np.concatenate((first, end)))).replay(steps, first, end)


class PageCounts:
    """The pages between steps; `bounds` are those of all ranges, in order and each once."""

    def __init__(self, bounds: Addresses) -> None:
        self._bounds = bounds
        self._depth = max(1, len(bounds).bit_length())
        zero = np.int64(0)
        pages, *others = room(2 << self._depth, zero, zero, zero, np.uint8(_UNCHANGED))
        leaf = 1 << self._depth
        pages[leaf : leaf + max(len(bounds) - 1, 0)] = np.diff(bounds).astype(np.int64)
        _add_up(pages, self._depth)
        self._tree = (pages, *others)

    def replay(
        self, steps: npt.NDArray[np.uint8], first: Addresses, end: Addresses
    ) -> tuple[Integers, Integers]:
        """Run the next steps; see `replay_page_counts`."""
        low, high = np.searchsorted(self._bounds, first), np.searchsorted(self._bounds, end)
        pages, mapped, writable, pending = self._tree
        counts: tuple[Integers, Integers] = _replay(
            steps, low, high, pages, mapped, writable, pending, _THEN, self._depth
        )
        let_go(pages)
        return counts


@numba.njit(cache=True, nogil=True)
def _add_up(pages: Any, depth: int) -> None:
    """Let each node have the pages of the two below it."""
    for node in range((1 << depth) - 1, 0, -1):
        pages[node] = pages[2 * node] + pages[2 * node + 1]


@numba.njit(cache=True, nogil=True)
def _replay(
    steps: Any, first: Any, end: Any, pages: Any, mapped: Any, writable: Any, pending: Any,
    then: Any, depth: int,
) -> Any:  # fmt: skip
    counts = np.zeros(len(steps), np.int64), np.zeros(len(steps), np.int64)
    tree = pages, mapped, writable, pending
    for i in range(len(steps)):
        if first[i] < end[i]:
            _change_range(tree, then, depth, first[i], end[i], steps[i])
        counts[0][i] = mapped[1]
        counts[1][i] = writable[1]
    return counts


@numba.njit(cache=True, nogil=True)
def _change(tree: Any, then: Any, node: int, change: int) -> None:
    """Apply a change to all pages below `node`."""
    pages, mapped, writable, pending = tree
    if change == UNMAP:
        mapped[node] = writable[node] = 0
    elif change == MAP_READ_ONLY:
        mapped[node] = pages[node]
    elif change == MAP_WRITABLE:
        mapped[node] = writable[node] = pages[node]
    elif change == WRITE_PROTECT:
        writable[node] = 0
    elif change == _ALL_READ_ONLY:
        mapped[node] = pages[node]
        writable[node] = 0
    pending[node] = then[pending[node], change]


@numba.njit(cache=True, nogil=True)
def _push(tree: Any, then: Any, depth: int, leaf: int) -> None:
    """Hand the changes above `leaf` down, from the root on."""
    pending = tree[3]
    for shift in range(depth, 0, -1):
        node = leaf >> shift
        if pending[node] != _UNCHANGED:
            _change(tree, then, 2 * node, pending[node])
            _change(tree, then, 2 * node + 1, pending[node])
            pending[node] = _UNCHANGED


@numba.njit(cache=True, nogil=True)
def _pull(tree: Any, leaf: int) -> None:
    """Make the nodes above `leaf` agree with their children."""
    _pages, mapped, writable, pending = tree
    node = leaf >> 1
    while node:
        if pending[node] == _UNCHANGED:
            mapped[node] = mapped[2 * node] + mapped[2 * node + 1]
            writable[node] = writable[2 * node] + writable[2 * node + 1]
        node >>= 1


@numba.njit(cache=True, nogil=True)
def _change_range(tree: Any, then: Any, depth: int, first: int, end: int, change: int) -> None:
    low, high = first + (1 << depth), end + (1 << depth)
    left, right = low, high - 1
    _push(tree, then, depth, left)
    _push(tree, then, depth, right)
    while low < high:
        if low & 1:
            _change(tree, then, low, change)
            low += 1
        if high & 1:
            high -= 1
            _change(tree, then, high, change)
        low >>= 1
        high >>= 1
    _pull(tree, left)
    _pull(tree, right)
