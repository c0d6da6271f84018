"""Entries that hold from a time on, looked up by key and time for whole arrays."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

START: Final = np.iinfo(np.int64).min
"""The time of what was there before the recording."""
END: Final = np.iinfo(np.int64).max
"""The time of what has none: after all that is known."""


class TimedLookup:
    """Entries in order of (key, time); those of equal key and time in the order given."""

    def __init__(self, keys: Int64s, times: Int64s) -> None:
        self.order = np.lexsort((times, keys))
        """Place in the arrays given of each entry, in this lookup's order."""
        self._keys, codes = np.unique(keys[self.order], return_inverse=True)
        self._times = np.unique(times)
        self._first = np.searchsorted(codes, np.arange(len(self._keys)))
        self._entries = self._composite(codes, times[self.order], "left")
        self._is_timed = len(codes) > len(self._keys) or bool((times != START).any())

    def count_before(self, keys: Int64s, times: Int64s) -> tuple[Int64s, Int64s]:
        """Per (key, time) the place of the key's first entry, and the number of entries up to the
        end of the key's entries that hold then; both 0 for a key that has none.
        """
        if not len(self._keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
        codes = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found = self._keys[codes] == keys
        first = np.where(found, self._first[codes], 0)
        if not self._is_timed:
            return first, np.where(found, first + 1, 0)
        asked = self._composite(codes, times, "right")
        counted = np.searchsorted(self._entries, asked, "left")
        return first, np.where(found, counted, 0)

    def find(self, keys: Int64s, times: Int64s) -> Int64s:
        """Per (key, time) the place in the arrays given of the newest entry that holds; -1: none."""
        if not len(self._keys):
            return np.full(len(keys), -1, np.int64)
        first, counted = self.count_before(keys, times)
        return np.where(counted > first, self.order[np.maximum(counted - 1, 0)], -1)

    def _composite(self, codes: Int64s, times: Int64s, side: str) -> Int64s:
        """Key and rank of time as one number; ordered as (key, time) is."""
        ranks = np.searchsorted(self._times, times, side)  # type: ignore[call-overload]
        return np.asarray(codes * (len(self._times) + 1) + ranks, np.int64)
