"""Scales of axes: a logarithm with a place for 0, and time in the session's own magnitude."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.report.basis import span_ns
from spetrace.report.units import render_count, render_size
from spetrace.tables.run import Run

_GAP: Final = 0.16
"""Of the whole scale, between 0 and the least of the other values."""
_TICKS_MAX: Final = 5


@dataclass(frozen=True)
class BrokenLog:
    """Powers of `base` from `base ** first` to `base ** last`, and 0 set apart below them."""

    base: int
    first: int
    last: int

    @property
    def gap(self) -> float:
        """Distance of 0 from the first power."""
        return max(1.0, _GAP * (self.last - self.first))

    @property
    def end(self) -> float:
        """The last power's position."""
        return self.gap + self.last - self.first

    def positions(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Where values (0 or more) stand, to four decimals."""
        given = np.asarray(values, np.float64)
        powers = np.log(np.maximum(given, 1.0)) / np.log(np.float64(self.base))
        placed = np.where(given > 0, powers - self.first + self.gap, 0.0)
        rounded: npt.NDArray[np.float64] = np.round(placed, 4).astype(np.float64)
        return rounded

    def powers(self) -> list[int]:
        """The exponents that get a tick: evenly spaced, few enough to be read."""
        step = next(s for s in (1, 2, 4, 8, 16, 32, 64) if self._count(s) <= _TICKS_MAX)
        return [n for n in range(self.first, self.last + 1) if n % step == 0]

    def _count(self, step: int) -> int:
        return self.last // step - -(-self.first // step) + 1


def broken_log(values: Iterable[int], base: int) -> BrokenLog:
    """The scale that holds `values`; one of a single power where none is above 0."""
    positive = [value for value in values if value > 0]
    if not positive:
        return BrokenLog(base, 0, 1)
    low, high = (int(pick(positive)) for pick in (min, max))
    first = _floor_log(low, base)
    last = _floor_log(high, base)
    return BrokenLog(base, first, max(last + (base**last < high), first + 1))


def size_axis(scale: BrokenLog) -> dict[str, Any]:
    """Ticks of an axis of bytes."""
    powers = scale.powers()
    return {
        "tickvals": [0.0, *scale.positions([float(2**n) for n in powers]).tolist()],
        "ticktext": ["0", *(render_size(2**n) for n in powers)],
        "zeroline": False,
    }


def count_axis(scale: BrokenLog) -> dict[str, Any]:
    """Ticks of an axis of counts."""
    powers = scale.powers()
    return {
        "tickvals": [0.0, *scale.positions([float(10**n) for n in powers]).tolist()],
        "ticktext": ["0", *(render_count(10**n) for n in powers)],
        "zeroline": False,
    }


@dataclass(frozen=True)
class TimeScale:
    """Seconds since the session's first event, as fine as a chart can show."""

    start_ns: int
    span_ns: int

    @property
    def seconds_end(self) -> float:
        """The session's end."""
        return self.span_ns / 1e9

    def seconds(self, times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Times of the session, to a millionth of it and a nanosecond at best."""
        magnitude = math.floor(math.log10(max(self.span_ns, 1)))
        since = (times_ns - self.start_ns) / 1e9
        rounded: npt.NDArray[np.float64] = np.round(since, min(9, 15 - magnitude))
        return rounded

    def axis(self) -> dict[str, Any]:
        """The axis from the session's start to its end."""
        margin = self.seconds_end * 0.01
        return {
            "title": {"text": "time since the session's start"},
            "ticksuffix": "s",
            "exponentformat": "SI",
            "zeroline": False,
            "range": [-margin, self.seconds_end + margin],
        }


def time_scale(run: Run, times_ns: npt.NDArray[np.int64]) -> TimeScale:
    """The scale of the session's span; of `times_ns` where it is not told."""
    if span := span_ns(run.session):
        return TimeScale(int(run.session["span_ns"][0]), span)
    first, last = (int(times_ns.min()), int(times_ns.max())) if len(times_ns) else (0, 1)
    return TimeScale(first, max(last - first, 1))


def _floor_log(value: int, base: int) -> int:
    """The greatest n with base ** n <= value."""
    power = 0
    while base ** (power + 1) <= value:
        power += 1
    return power
