"""When each page that is asked for was last mapped, and unmapped since: steps replayed in order.

How it works: as in `page_sets`, a segment tree over the cells between all ranges' bounds. A node
holds the newest thing that happened to all pages below it and that its children have not seen: a
map, which makes what was before forgotten, or an unmap, which ends the mapping of the pages that
have one. A page is read by handing down what is above it.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Addresses, Integers
from spetrace.spooled import let_go, room

MAP, UNMAP, ASK = range(3)
"""Steps: map the range, unmap it, ask for its first page."""
NEVER: Final = -2
"""Of a step's number: it did not happen."""
START: Final = -1
"""Of a step's number: it happened before the first step."""

_NOTHING, _ENDS, _STATE = range(3)
"""What a node holds: nothing, an unmap of what is mapped, or the state of all pages below."""


def replay_page_history(
    steps: npt.NDArray[np.uint8], first: Addresses, end: Addresses, *, full: bool = False
) -> tuple[Integers, Integers]:
    """Run `steps` on the pages [first, end); `full` says whether all pages are mapped at the start.

    Gives per ASK the step that mapped its first page last (START: it was mapped at the start) and
    the first step that unmapped it since (NEVER: it is mapped still); NEVER, both, where it was
    never mapped, and for other steps.
    """
    history = PageHistory(np.unique(np.concatenate((first, end))), full=full)
    return history.replay(steps, np.arange(len(steps)), first, end)


class PageHistory:
    """What happened to the pages up to a step; `bounds` are those of all ranges, in order and each once."""

    def __init__(self, bounds: Addresses, *, full: bool = False) -> None:
        self._bounds = bounds
        self._depth = max(1, len(bounds).bit_length())
        self._tree = room(2 << self._depth, np.uint8(_NOTHING), np.int64(NEVER), np.int64(NEVER))
        kind, since, _until = self._tree
        kind[1], since[1] = _STATE, START if full else NEVER

    def numbers_of(self, pages: Addresses) -> Integers:
        """A number for each page at which a range begins: from 0 on."""
        return np.searchsorted(self._bounds, pages)

    def replay(
        self, steps: npt.NDArray[np.uint8], numbers: Integers, first: Addresses, end: Addresses
    ) -> tuple[Integers, Integers]:
        """Run the next steps, whose `numbers` the answers tell; see `replay_page_history`."""
        low, high = np.searchsorted(self._bounds, first), np.searchsorted(self._bounds, end)
        kind, since, until = self._tree
        found: tuple[Integers, Integers] = _replay(
            steps, numbers, low, high, kind, since, until, self._depth
        )
        let_go(kind)
        return found


@numba.njit(cache=True, nogil=True)
def _replay(
    steps: Any, numbers: Any, first: Any, end: Any, kind: Any, since: Any, until: Any, depth: int
) -> Any:
    found = np.full(len(steps), NEVER), np.full(len(steps), NEVER)
    tree = kind, since, until
    for i in range(len(steps)):
        if steps[i] == ASK:
            leaf = first[i] + (1 << depth)
            _push(tree, depth, leaf)
            if kind[leaf] == _STATE:
                found[0][i] = since[leaf]
                found[1][i] = until[leaf]
        elif first[i] < end[i]:
            _set_range(tree, depth, first[i], end[i], steps[i], numbers[i])
    return found


@numba.njit(cache=True, nogil=True)
def _set(tree: Any, node: int, kind: int, since: int, until: int) -> None:
    """Let what `kind` says happen to all pages below `node`."""
    kinds, sinces, untils = tree
    if kind == _STATE:
        kinds[node] = _STATE
        sinces[node] = since
        untils[node] = until
    elif kinds[node] == _NOTHING:
        kinds[node] = _ENDS
        untils[node] = until
    elif kinds[node] == _STATE and sinces[node] != NEVER and untils[node] == NEVER:
        untils[node] = until


@numba.njit(cache=True, nogil=True)
def _push(tree: Any, depth: int, leaf: int) -> None:
    """Hand what is above `leaf` down, from the root on."""
    kinds, sinces, untils = tree
    for shift in range(depth, 0, -1):
        node = leaf >> shift
        if kinds[node] != _NOTHING:
            for child in (2 * node, 2 * node + 1):
                _set(tree, child, kinds[node], sinces[node], untils[node])
            kinds[node] = _NOTHING


@numba.njit(cache=True, nogil=True)
def _set_range(tree: Any, depth: int, first: int, end: int, step: int, at: int) -> None:
    low, high = first + (1 << depth), end + (1 << depth)
    _push(tree, depth, low)
    _push(tree, depth, high - 1)
    kind = _STATE if step == MAP else _ENDS
    since = at if step == MAP else NEVER
    until = NEVER if step == MAP else at
    while low < high:
        if low & 1:
            _set(tree, low, kind, since, until)
            low += 1
        if high & 1:
            high -= 1
            _set(tree, high, kind, since, until)
        low >>= 1
        high >>= 1
