"""Which offset lays a guest's events into its guest time: a search from coarse to fine.

An event that the guest itself recorded happened between a kvm_entry and the kvm_exit after it. So an
event at t and an interval [a, b) allow the offsets a - t to b - t, and the offset sought is in as many
of these as there are events.

1. Time is cut into bins: the events in each, and the share of each that is guest time. Their
   correlation (by FFT) says for all offsets at once, to a bin, how many events come to lie in guest
   time.
2. Around the best bins every step of the count is computed, with some of the events.
3. Around the best of those, with all of them. The result is the range of offsets whose count is the
   highest, less what chance does to it where some events fit nowhere. The best one elsewhere is counted
   with all events, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.session.guest_time import GuestTime

Track = tuple[Integers, GuestTime]
"""One vCPU: the times of its guest's events in order, and its guest time."""

_BINS_MAX: Final = 1 << 22
_BIN_NS: Final = 128
_CANDIDATES: Final = 48
_SCREEN_EVENTS: Final = 1 << 14
_EVENTS_MAX: Final = 1 << 21
_PAIRS_MAX: Final = 1 << 22
_EVIDENCE: Final = 20.0
"""ln(_BINS_MAX) and some more: as many offsets are tried, and one of them must not fit by chance."""
_FAR: Final = 1 << 60
"""Times beyond are damage: none of the sums below can overflow without them."""


@dataclass(frozen=True)
class OffsetRange:
    """Offsets [low, high] that fit best, and how well."""

    low: int
    high: int
    agreeing: int
    """Events in guest time at the middle of the range."""
    events: int
    threshold: float
    """The share of events from which on another offset would be as good."""
    next_offset: int | None
    """The best offset elsewhere."""
    next_agreeing: int
    """Events in guest time at that; never more than at the middle of the range."""
    next_share: float
    """The share that decides whether the offset elsewhere is as good: of some events, next to it."""
    by_chance: float
    """The share of events that would lie in guest time at any offset."""

    @property
    def middle(self) -> int:
        """The offset proposed."""
        return (self.low + self.high) // 2

    @property
    def uncertainty(self) -> int:
        """Half of the range's width, rounded up."""
        return (self.high - self.low + 1) // 2

    @property
    def is_clear(self) -> bool:
        """Whether no other offset is about as good, nor likely to be so by chance."""
        return self._against_chance > _EVIDENCE and self.next_share < self.threshold

    @property
    def _against_chance(self) -> float:
        """Chernoff's bound: minus the logarithm of how likely one offset fits so many by chance."""
        share, chance = self.agreeing / self.events, min(self.by_chance, 1.0)
        if share <= chance:
            return 0.0
        other = (1 - share) * log((1 - share) / (1 - chance)) if share < 1 else 0.0
        return self.events * (share * log(share / chance) + other)


@dataclass(frozen=True)
class _Steps:
    """The count as a function of the offset: `count[i]` from `at[i]` to before `at[i + 1]`."""

    at: Integers
    count: Integers
    events: int
    """How many events could be counted."""

    @property
    def best(self) -> int:
        """The most events that one offset fits."""
        return int(self.count.max())

    @property
    def share(self) -> float:
        """Their share of all."""
        return self.best / self.events

    @property
    def least(self) -> int:
        """The count down to which an offset is as good as the best one.

        Where events fit nowhere (clocks jitter, times are rounded), their number is random to about
        its square root, and so is the count; where all fit, the range is where all do.
        """
        return max(1, self.best - ceil(2 * sqrt(self.events - self.best)))

    @property
    def summit(self) -> tuple[int, int]:
        """The first and last offset of the first step of the highest count."""
        place = int(self.count.argmax())
        return int(self.at[place]), int(self.at[place + 1]) - 1

    @property
    def hull(self) -> tuple[int, int]:
        """The first and last offset that is as good; the last step counts none."""
        held = np.flatnonzero(self.count >= self.least)
        return int(self.at[held[0]]), int(self.at[held[-1] + 1]) - 1


def find_offset(tracks: Sequence[Track]) -> OffsetRange | None:
    """The range of offsets to add to the events' times; None where no event can fit.

    Events and guest time may be on clocks of any origin; they run at one rate.
    """
    near = [(_near(times), _near_intervals(own)) for times, own in tracks]
    near = [(times, own) for times, own in near if len(times) and len(own.start)]
    if not near:
        return None
    some = _thinned(near, _EVENTS_MAX)
    centres, width = _coarse(some)
    screen = _thinned(some, _SCREEN_EVENTS)
    found = [(_steps(screen, centre - width, centre + width), centre) for centre in centres]
    steps, _centre = max(found, key=lambda pair: pair[0].share)
    fine = _refined(some, steps) if steps.best else steps
    if not fine.best:
        return None
    edges = fine.hull[0] - 2 * width, fine.hull[1] + 2 * width
    threshold = fine.least / fine.events
    others = [s for s, c in found if not edges[0] <= c <= edges[1] and s.best]
    best = _Fit(*fine.hull, fine.share, near)
    other = max(others, key=lambda s: s.share, default=None)
    second = _Fit(*other.summit, other.share, near) if other else None
    if second and second.agreeing > best.agreeing:
        best, second = second, best
    return OffsetRange(
        best.low,
        best.high,
        agreeing=best.agreeing,
        events=sum(len(times) for times, _own in tracks),
        threshold=threshold,
        next_offset=second.middle if second else None,
        next_agreeing=second.agreeing if second else 0,
        next_share=second.share if second else 0.0,
        by_chance=_by_chance(near),
    )


class _Fit:
    """Offsets [low, high], the share found there, and the events that are in guest time at the middle."""

    def __init__(self, low: int, high: int, share: float, tracks: Sequence[Track]) -> None:
        self.low, self.high, self.share = low, high, share
        self.middle = (low + high) // 2
        self.agreeing = sum(int(own.holds(times + self.middle).sum()) for times, own in tracks)


def _refined(tracks: Sequence[Track], steps: _Steps) -> _Steps:
    """The count with all events around where it is best with some, as far as it is that good."""
    low, high = steps.hull
    while True:
        margin = high - low + 2
        first, last = low - margin, high + margin
        fine = _steps(tracks, first, last)
        if not fine.best:
            return fine
        low, high = fine.hull
        if first < low and high < last:
            return fine


def _coarse(tracks: Sequence[Track]) -> tuple[list[int], int]:
    """Offsets around which the count may be highest, and how far around each to look."""
    first = min(int(own.start[0]) for _times, own in tracks)
    last = max(int(own.end[-1]) for _times, own in tracks)
    everything = np.sort(np.concatenate([times for times, _own in tracks]))
    cut = len(everything) // 1000
    early, late = int(everything[cut]), int(everything[-1 - cut])
    bin_ns = max(_BIN_NS, -(-(last - first + late - early + 2) // _BINS_MAX))
    host_bins, guest_bins = (last - first) // bin_ns + 1, (late - early) // bin_ns + 1
    size = 1 << int(host_bins + guest_bins).bit_length()
    spectrum = np.zeros(size // 2 + 1, np.complex64)
    for times, own in tracks:
        times = times[(times >= early) & (times <= late)]
        events = np.bincount((times - early) // bin_ns, minlength=guest_bins).astype(np.float32)
        shares = _shares(own, first, bin_ns, host_bins)
        spectrum += np.fft.rfft(shares, size) * np.fft.rfft(events, size).conj()
    fit = np.fft.irfft(spectrum, size)
    return [
        first - early + (place if place < host_bins else place - size) * bin_ns
        for place in _peaks(fit)
    ], bin_ns + bin_ns // 2


def _shares(own: GuestTime, first: int, bin_ns: int, bins: int) -> npt.NDArray[np.float32]:
    """Per bin from `first` on the share that is guest time."""
    edges = np.arange(bins + 1, dtype=np.float64) * bin_ns
    ends = np.cumsum(own.end - own.start)
    corners = np.stack((own.start, own.end), axis=1).ravel() - first
    spent = np.stack((np.append(0, ends[:-1]), ends), axis=1).ravel()
    shares: npt.NDArray[np.float32] = np.diff(np.interp(edges, corners, spent)) / bin_ns
    return shares.astype(np.float32)


def _peaks(fit: npt.NDArray[np.floating[Any]]) -> list[int]:
    """The best bins, none beside a better one."""
    most = min(len(fit), 64 * _CANDIDATES)
    best = np.argpartition(fit, len(fit) - most)[len(fit) - most :]
    best = best[np.argsort(-fit[best], kind="stable")]
    taken: set[int] = set()
    peaks: list[int] = []
    for place in best.tolist():
        if place not in taken:
            peaks.append(place)
            taken.update((place - 1, place, place + 1))
        if len(peaks) == _CANDIDATES:
            break
    return peaks


def _steps(tracks: Sequence[Track], low: int, high: int) -> _Steps:
    """The count at every offset from `low` to `high`; with fewer events where pairs are too many."""
    enter, leave = [], []
    tracks = _within(tracks, low, high)
    for times, own in tracks:
        begin = np.searchsorted(own.end, times + low, "right")
        count = np.searchsorted(own.start, times + high, "right") - begin
        event = np.repeat(np.arange(len(times)), count)
        place = np.arange(len(event)) - np.repeat(np.cumsum(count) - count, count)
        interval = begin[event] + place
        enter.append(np.maximum(own.start[interval] - times[event], low))
        leave.append(np.minimum(own.end[interval] - times[event], high + 1))
    up, down = np.concatenate(enter), np.concatenate(leave)
    at = np.unique(np.concatenate((up, down, np.array([low, high + 1]))))
    entered = np.searchsorted(np.sort(up), at, "right")
    left = np.searchsorted(np.sort(down), at, "right")
    return _Steps(at, entered - left, sum(len(times) for times, _own in tracks))


def _within(tracks: Sequence[Track], low: int, high: int) -> list[Track]:
    """The tracks, thinned so far that their events and the intervals they meet can be held."""
    pairs = sum(
        int(
            (
                np.searchsorted(own.start, times + high, "right")
                - np.searchsorted(own.end, times + low, "right")
            ).sum()
        )
        for times, own in tracks
    )
    events = sum(len(times) for times, _own in tracks)
    return _thinned(tracks, max(1, events * _PAIRS_MAX // max(pairs, _PAIRS_MAX)))


def _by_chance(tracks: Sequence[Track]) -> float:
    shares = [
        (len(times), float((own.end - own.start).sum()) / max(1, int(own.end[-1] - own.start[0])))
        for times, own in tracks
    ]
    return sum(n * share for n, share in shares) / sum(n for n, _share in shares)


def _thinned(tracks: Sequence[Track], most: int) -> list[Track]:
    """At most about `most` events, evenly from all."""
    events = sum(len(times) for times, _own in tracks)
    step = -(-events // most)
    return [(times[::step], own) for times, own in tracks]


def _near(times: Integers) -> Integers:
    return np.sort(times[(times > -_FAR) & (times < _FAR)])


def _near_intervals(own: GuestTime) -> GuestTime:
    near = (own.start > -_FAR) & (own.end < _FAR)
    return GuestTime(own.start[near], own.end[near])
