"""One VM under one strategy: its stage 2, its pinned memory, its counters."""

from __future__ import annotations

from spetrace.replay.counters import Counters, Details
from spetrace.replay.page_map import PageRange
from spetrace.replay.parameters import Parameters
from spetrace.replay.stage1 import Stage1
from spetrace.replay.stage2 import Stage2


class Vm:
    """What a strategy did to one VM so far."""

    def __init__(
        self, number: int, parameters: Parameters, stage1: Stage1, details: Details, now: int
    ) -> None:
        self.number = number
        self.parameters = parameters
        self.page_size = parameters.page_size
        self.stage1 = stage1
        self.stage2 = Stage2(parameters.initial_stage2 == "all")
        self.counters = Counters()
        self.pinned_bytes = 0
        self._details = details
        self._settled_bytes = 0
        self._settled_ts = now

    def fits_memlock(self, more_bytes: int) -> bool:
        """Whether RLIMIT_MEMLOCK lets `more_bytes` be pinned; counts a failure if not."""
        limit = self.parameters.memlock_bytes
        if limit is None or self.pinned_bytes + more_bytes <= limit:
            return True
        self.counters.memlock_failures += 1
        return False

    def pin(self, pages: list[PageRange], pin: int) -> int:
        """Pin pages for the holder of `pin`; the cost in ns."""
        count = self.stage2.pin(pages, pin)
        self.counters.pins += count
        self.pinned_bytes += count * self.page_size
        return count * self.parameters.costs.pin_page_ns

    def release(self, pages: list[PageRange], pin: int) -> int:
        """Take the holder's pins off `pages`; the cost in ns."""
        count = self.stage2.release(pages, pin)
        self.counters.unpins += count
        self.pinned_bytes -= count * self.page_size
        return count * self.parameters.costs.unpin_page_ns

    def unmap(self, first: int, end: int, pins_refuse: bool) -> None:
        """The host unmaps pages."""
        pinned = self.stage2.unmap(first, end, pins_refuse)
        if pins_refuse:
            self.counters.unmaps_refused += pinned
        else:
            self.counters.forced_unpins += pinned
            self.pinned_bytes = max(0, self.pinned_bytes - pinned * self.page_size)

    def settle(self, now: int) -> int:
        """Note pinned memory as it stands after an event at `now`; the change in bytes."""
        change = self.pinned_bytes - self._settled_bytes
        if change:
            self._integrate(now)
            self._settled_bytes = self.pinned_bytes
            peak = max(self.counters.pinned_bytes_peak, self.pinned_bytes)
            self.counters.pinned_bytes_peak = peak
            self._note(now)
        return change

    def finish(self, now: int) -> None:
        """Close the books at the log's last time."""
        self._integrate(now)
        self.counters.pinned_bytes_end = self.pinned_bytes

    def _integrate(self, now: int) -> None:
        self.counters.pinned_byte_ns += self._settled_bytes * (now - self._settled_ts)
        self._settled_ts = now

    def _note(self, now: int) -> None:
        rows = self._details.pinned
        if rows and rows[-1][:2] == (self.number, now):
            rows.pop()
        rows.append((self.number, now, self.pinned_bytes))
