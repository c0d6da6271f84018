"""The distinct bounds of many page ranges, gathered a part at a time."""

from __future__ import annotations

import numpy as np

from spetrace.session.event_run import Addresses
from spetrace.spooled import CHUNK_ROWS


class PageBounds:
    """Pages at which ranges begin or end: what is held is the distinct ones, and some more."""

    def __init__(self) -> None:
        self._known: Addresses = np.zeros(0, np.uint64)
        self._new: list[Addresses] = []
        self._count = 0

    def add(self, *pages: Addresses) -> None:
        """Take some more."""
        self._new += [_distinct(each) for each in pages]
        self._count += sum(map(len, self._new[-len(pages) :]))
        if self._count > max(CHUNK_ROWS, len(self._known)):
            self.finish()

    def finish(self) -> Addresses:
        """All of them so far, in order and each once."""
        self._known = _distinct(np.concatenate((self._known, *self._new)))
        self._new, self._count = [], 0
        return self._known


def _distinct(pages: Addresses) -> Addresses:
    """In order, each once: np.unique takes several times as long."""
    ordered = np.sort(pages)
    is_first = np.ones(len(ordered), np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first]
