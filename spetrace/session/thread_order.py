"""Numbers by which events can be sorted thread by thread."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers

NEVER: Final = np.iinfo(np.int64).max
_ORDER_BITS: Final = 40


def keys_of(pid: npt.NDArray[np.int32], order: Integers) -> Integers:
    """One sortable number per event: its thread, and within that its place in the host trace.

    NEVER is after all of the thread's events.
    """
    place: Integers = np.minimum(order, (1 << _ORDER_BITS) - 1)
    return pid.astype(np.int64) << _ORDER_BITS | place
