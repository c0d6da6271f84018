"""One clock for all inputs: ticks to ns, and guest time to host time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spetrace.session.event_run import Integers
from spetrace.tables.recording import Recording, TimeConversion

NS_PER_SECOND: Final = 1_000_000_000
COUNTER_CLOCKS: Final = ("counter", "x86-tsc", "tsc", "ppc-tb")
UPTIME_HZ: Final = 100
"""ftrace's `uptime` counts USER_HZ (trace_clock_jiffies, kernel/trace/trace_clock.c)."""
ARCHITECTED_HZ: Final = 1_000_000_000
"""Frequency of the generic timer from Armv8.6 on (Arm ARM, D12.1)."""


@dataclass(frozen=True)
class HostClock:
    """A host file's clock: `numerator` ns are `denominator` of its units."""

    name: str | None
    numerator: int = 1
    denominator: int = 1
    how: str = "the session's clock"
    is_assumed: bool = False

    def to_ns(self, times: Integers) -> Integers:
        """Times in the file's units as ns, rounded down."""
        if self.numerator == self.denominator:
            return times
        whole, rest = np.divmod(times, self.denominator)
        ns: Integers = whole * self.numerator + rest * self.numerator // self.denominator
        return ns


def host_clock(
    recording: Recording, counter_hz: int | None, conversion: TimeConversion | None
) -> HostClock:
    """The clock of a host file; where it counts ticks, their rate.

    That is `counter_hz` where given, else a guest's TIME_CONV, else the architected 1 GHz.
    """
    name = recording.clock
    if recording.clock_is_ns:
        return HostClock(name)
    if counter_hz:
        return HostClock(name, NS_PER_SECOND, counter_hz, f"ticks at {counter_hz} Hz, as given")
    if name == "uptime":
        return HostClock(name, NS_PER_SECOND, UPTIME_HZ, "jiffies at USER_HZ = 100")
    if conversion and _is_usable(conversion):
        return HostClock(
            name, conversion.multiplier, 1 << conversion.shift, "ticks at the rate of TIME_CONV"
        )
    return HostClock(
        name, NS_PER_SECOND, ARCHITECTED_HZ, "The host's clock counts ticks, taken for 1 GHz.", True
    )


def counter_offset_ns(clock: HostClock, conversion: TimeConversion, cntvoff: int) -> int:
    """Host ns less guest perf ns, where both count the generic timer.

    Guest perf time is zero + virtual count times rate (time_shift and time_mult of
    perf_event_mmap_page), the host's is physical count times rate, and the physical count is the
    virtual one plus CNTVOFF_EL2.
    """
    return cntvoff * clock.numerator // clock.denominator - conversion.zero


def has_one_clock(recording: Recording) -> bool:
    """Whether the times of an SPE recording's AUX records are on the clock of its records' times.

    Those of records come from the generic timer as sched_clock counts it, those of AUX records from
    the clock that perf record -k chose.
    """
    converted = recording.spe is not None and recording.spe.time_conversion is not None
    return not (converted and "clockid" in recording.properties)


@dataclass(frozen=True)
class TickRate:
    """How a guest's clock that counts ticks becomes perf's time: by a rate given, or TIME_CONV."""

    counter_hz: int | None
    conversion: TimeConversion | None

    def clock(self, recording: Recording) -> HostClock:
        """The recording's clock with the rate of its ticks."""
        return host_clock(recording, self.counter_hz, self.conversion)

    def guest_ns(self, recording: Recording, times: Integers) -> Integers:
        """Times of a guest's recording in ns: perf's time where TIME_CONV tells when tick 0 was."""
        ns: Integers = self.clock(recording).to_ns(times)
        if recording.clock_is_ns or recording.clock not in COUNTER_CLOCKS or not self.conversion:
            return ns
        return ns + self.conversion.zero

    def counter_offset_ns(self, clock: HostClock, cntvoff: int) -> int:
        """Host ns less what `guest_ns` gives, where both count the generic timer."""
        zero = self.conversion or TimeConversion(0, 1, 0)
        return counter_offset_ns(clock, zero, cntvoff)


def _is_usable(conversion: TimeConversion) -> bool:
    return 0 <= conversion.shift <= 32 and 0 < conversion.multiplier < 1 << 31


@dataclass(frozen=True)
class Alignment:
    """How one SPE recording's time becomes the session's."""

    offset_ns: int
    how: str
