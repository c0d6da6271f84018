"""Threads numbered in the order in which they are met, so that arrays can have a place for each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers


class ThreadSlots:
    """The numbers of threads."""

    def __init__(self) -> None:
        self._slot_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def threads(self) -> npt.NDArray[np.int32]:
        """The thread of each number."""
        return np.array(list(self._slot_of), np.int32)

    def of(self, threads: npt.NDArray[np.int32]) -> Integers:
        """The number of each thread; those not met before get new ones."""
        distinct, places = np.unique(threads, return_inverse=True)
        numbers = [
            self._slot_of.setdefault(thread, len(self._slot_of)) for thread in distinct.tolist()
        ]
        return np.array(numbers, np.int64)[places]
