"""What comes next on the same thread: neighbours of an event among another tracepoint's events."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.session.host_trace import HostEvents

NONE: Final = -1
NEVER: Final = np.iinfo(np.int64).max
_ORDER_BITS: Final = 40


def thread_keys(events: HostEvents) -> Integers:
    """One sortable number per event: its thread, and within that its place in the host trace."""
    return keys_of(events.pid, events.order)


def keys_of(pid: npt.NDArray[np.int32], order: Integers) -> Integers:
    """The same from threads and places; NEVER is after all of the thread's events."""
    place: Integers = np.minimum(order, (1 << _ORDER_BITS) - 1)
    return pid.astype(np.int64) << _ORDER_BITS | place


class ThreadOrder:
    """One tracepoint's events, thread by thread, each in order."""

    def __init__(self, events: HostEvents) -> None:
        keys = thread_keys(events)
        self._rows = np.argsort(keys, kind="stable")
        self._keys = keys[self._rows]

    def next_of(self, keys: Integers) -> Integers:
        """Per key the row of the first event after it on its thread, or NONE."""
        return self._found(keys, np.searchsorted(self._keys, keys, "right"))

    def previous_of(self, keys: Integers) -> Integers:
        """Per key the row of the last event before it on its thread, or NONE."""
        return self._found(keys, np.searchsorted(self._keys, keys) - 1)

    def _found(self, keys: Integers, place: Integers) -> Integers:
        if not len(self._keys):
            return np.full(len(keys), NONE)
        inside = (place >= 0) & (place < len(self._keys))
        place = place.clip(0, len(self._keys) - 1)
        same = inside & (self._keys[place] >> _ORDER_BITS == keys >> _ORDER_BITS)
        return np.where(same, self._rows[place], NONE)


def taken(values: Integers, rows: Integers, missing: int) -> Integers:
    """`values` at `rows`, `missing` where the row is NONE."""
    if not len(values):
        return np.full(len(rows), missing)
    return np.where(rows == NONE, missing, values[rows])
