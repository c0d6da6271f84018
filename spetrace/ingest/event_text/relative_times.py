"""Times of a text that are no clock's: they count from its start, or from the event before."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from spetrace.spooled import Column, chunks, let_go


class Origin(StrEnum):
    """What times count from that are no clock's."""

    BUFFER_START = "the buffer's start"
    """ftrace's latency-format."""
    FIRST_EVENT = "the first event"
    """perf script --reltime."""
    EVENT_BEFORE = "the event before"
    """perf script --deltatime."""


class RelativeTimes:
    """Finds out whether a text's times are relative.

    perf script doesn't say that it was asked for relative times: then the first event's is 0. Times
    since the event before decrease, those since the first do not, as perf sorts by them.
    """

    def __init__(self, is_perf: bool) -> None:
        self._begins_at_0 = is_perf
        self._decreases = False
        self._since_start = False
        self._last: int | None = None
        self._times = Column(np.int64)

    def add(self, times: npt.NDArray[np.int64], since_start: bool) -> None:
        """Take the times of one chunk's events, and whether its form tells that they count from the
        buffer's start.
        """
        self._since_start = self._since_start or since_start
        if not len(times) or not self._begins_at_0:
            return
        if self._last is None and times[0] != 0:
            self._begins_at_0 = False
            return
        before = np.concatenate([[self._last or 0], times[:-1]])
        self._decreases = self._decreases or bool((times < before).any())
        self._last = int(times[-1])
        self._times.add(times.copy())

    @property
    def origin(self) -> Origin | None:
        """What the times count from; None: they are those of a clock, as far as the text tells."""
        if self._since_start:
            return Origin.BUFFER_START
        if self._last is None:
            return None
        return Origin.EVENT_BEFORE if self._decreases else Origin.FIRST_EVENT

    def summed(self) -> npt.NDArray[np.int64]:
        """Per event the time since the first, of times since the event before."""
        times: npt.NDArray[np.int64] = self._times.finish()
        total = np.int64(0)
        for select in chunks(len(times)):
            times[select] = np.cumsum(times[select]) + total
            total = times[select.stop - 1]
            let_go(times)
        return times
