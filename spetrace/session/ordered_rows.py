"""Rows with a place in the host trace, brought into its order; of two such tables, stretches side by side.

How it works: rows are dealt out to stretches of the order, a chunk of rows at a time, and each stretch
is then sorted in memory. Rows of one place stay in the order in which they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.spooled import CHUNK_ROWS, AnyArray, chunks, let_go, room

_BINS_BITS: Final = 16


class Placed(Protocol):
    """Rows with their places, in some order."""

    @property
    def order(self) -> Integers:
        """Place of each row in the host trace."""

    def part(self, select: Any) -> Any:
        """Some of the rows."""


A = TypeVar("A", bound=Placed)
B = TypeVar("B", bound=Placed)


class Dealer:
    """Places for rows of numbered groups, `counts` of each: group after group, each in its order."""

    def __init__(self, counts: Integers) -> None:
        self._next = np.cumsum(counts) - counts

    def places(self, groups: npt.NDArray[Any]) -> Integers:
        """Where the next rows, of these groups, go."""
        order = np.argsort(groups, kind="stable")
        numbers, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
        places = np.empty(len(groups), np.int64)
        ranks = np.arange(len(groups)) + np.repeat(self._next[numbers] - first, counts)
        places[order] = ranks
        self._next[numbers] += counts
        return places


def in_order(rows: AnyArray) -> AnyArray:
    """Structured rows by their field `order`: from 0 on."""
    if len(rows) <= 2 * CHUNK_ROWS:
        return rows.take(np.argsort(rows["order"], kind="stable"))
    if is_rising(rows["order"]):
        return rows
    stretch_of, counts, shift = _stretches(rows)
    dealer = Dealer(counts)
    (dealt,) = room(len(rows), np.zeros(1, rows.dtype)[0])
    for select in chunks(len(rows)):
        part = rows[select]
        dealt[dealer.places(stretch_of[part["order"] >> shift])] = part
        let_go(rows, dealt)
    ends = np.cumsum(counts)
    for start, end in zip((ends - counts).tolist(), ends.tolist(), strict=True):
        part = dealt[start:end]
        dealt[start:end] = part.take(np.argsort(part["order"], kind="stable"))
        let_go(dealt)
    return dealt


def is_rising(numbers: Integers) -> bool:
    """Whether none is below the one before it."""
    last = np.iinfo(np.int64).min
    for select in chunks(len(numbers)):
        part = numbers[select]
        if part[0] < last or (part[1:] < part[:-1]).any():
            return False
        last = int(part[-1])
        let_go(numbers)
    return True


def side_by_side(
    these: Iterable[A], others: Iterable[B], key: Callable[[Integers], Integers] = np.asarray
) -> Iterator[tuple[list[A], list[B]]]:
    """Two tables that come in chunks by `key` of their order, as parts of one stretch of it each.

    What is held is about a chunk of each.
    """
    one, two = _Ahead(iter(these), key), _Ahead(iter(others), key)
    while one.left is not None or two.left is not None:
        ends = [each.end for each in (one, two) if each.left is not None]
        until = min(ends)
        yield one.take(until), two.take(until)


class _Ahead:
    """The chunk of a table that is next."""

    def __init__(self, source: Iterator[Any], key: Callable[[Integers], Integers]) -> None:
        self._source = source
        self._key = key
        self.left: Any = None
        self._next()

    @property
    def end(self) -> int:
        """The key of the last row of the chunk."""
        return int(self._key(self.left.order[-1:])[0])

    def take(self, until: int) -> list[Any]:
        """The rows up to a key, that one included."""
        taken = []
        while self.left is not None:
            count = int(np.searchsorted(self._key(self.left.order), until, "right"))
            if count:
                taken.append(self.left.part(slice(count)))
            if count < len(self.left.order):
                self.left = self.left.part(slice(count, None))
                break
            self._next()
        return taken

    def _next(self) -> None:
        self.left = next((chunk for chunk in self._source if len(chunk.order)), None)


def _stretches(rows: AnyArray) -> tuple[Integers, Integers, int]:
    """The number of the stretch by the upper bits of a row's place, how many rows each stretch has, and
    how many bits are below.
    """
    top = 0
    for select in chunks(len(rows)):
        top = max(top, int(rows["order"][select].max()))
        let_go(rows)
    shift = max(top.bit_length() - _BINS_BITS, 0)
    bins = np.zeros((top >> shift) + 1, np.int64)
    for select in chunks(len(rows)):
        bins += np.bincount(rows["order"][select] >> shift, minlength=len(bins))
        let_go(rows)
    stretch_of = (np.cumsum(bins) - bins) // CHUNK_ROWS
    counts = np.bincount(stretch_of, bins, int(stretch_of[-1]) + 1).astype(np.int64)
    return stretch_of, counts, shift
