"""How often each page comes, of any number of pages: held is a number per distinct page."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spetrace.spooled import CHUNK_ROWS

Pages = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]


class PageTally:
    """Takes addresses of pages."""

    def __init__(self) -> None:
        self._pages: Pages = np.zeros(0, np.uint64)
        self._counts: Counts = np.zeros(0, np.int64)
        self._new: list[Pages] = []
        self._rows = 0

    def add(self, pages: Pages) -> None:
        """Take some more."""
        self._new.append(pages)
        self._rows += len(pages)
        if self._rows > max(CHUNK_ROWS, len(self._pages)):
            self._take_in()

    def __len__(self) -> int:
        self._take_in()
        return len(self._pages)

    def most(self, count: int) -> list[int]:
        """The pages that come most often, of as many the lowest first."""
        self._take_in()
        order = np.lexsort((self._pages, -self._counts))
        found: list[int] = self._pages[order[:count]].tolist()
        return found

    def _take_in(self) -> None:
        ones = np.ones(self._rows, np.int64)
        pages = np.concatenate((self._pages, *self._new))
        counts = np.concatenate((self._counts, ones))
        order = np.argsort(pages, kind="stable")
        pages, counts = pages[order], counts[order]
        first = np.flatnonzero(np.append(True, pages[1:] != pages[:-1])[: len(pages)])
        self._pages = pages[first]
        self._counts = np.add.reduceat(counts, first) if len(first) else counts
        self._new, self._rows = [], 0
