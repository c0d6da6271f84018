"""TIME_SHIFT: a guest's timestamps onto its host's clock, by samples taken while recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.cursor import Cursor
from spetrace.ingest.trace_dat.options import Option

_INTERPOLATE = 1
_SAMPLE_BYTES = 24


class Samples(NamedTuple):
    """One CPU's samples in order of their time: arrays of one length."""

    times: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    scalings: npt.NDArray[np.int64]
    fractions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class TimeShift:
    """The samples of all CPUs, and the id of the host's recording."""

    peer_trace_id: int
    interpolate: bool
    cpus: list[Samples]

    def apply(self, times: npt.NDArray[np.uint64], cpu: int) -> npt.NDArray[np.uint64]:
        """Times of events of `cpu` on the host's clock (trace-input.c: timestamp_host_sync)."""
        if cpu >= len(self.cpus) or not len(self.cpus[cpu].times):
            return times
        samples = self.cpus[cpu]
        if len(samples.times) == 1:
            return times + np.uint64(samples.offsets.view(np.uint64)[0])
        signed = times.view(np.int64)
        last = len(samples.times) - 2
        pair = np.clip(np.searchsorted(samples.times, signed, side="right") - 1, 0, last)
        correction = samples.offsets[pair]
        if self.interpolate:
            correction = correction + _interpolated(samples, pair, signed)
        scaled: npt.NDArray[np.uint64] = times * samples.scalings.view(np.uint64)[pair]
        scaled >>= samples.fractions.view(np.uint64)[pair] & np.uint64(63)
        scaled += correction.view(np.uint64)
        return scaled


def _interpolated(
    samples: Samples, pair: npt.NDArray[np.intp], times: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """What the slope between the samples `pair` and `pair` + 1 adds; rounds as C divides."""
    delta = samples.times[pair + 1] - samples.times[pair]
    rise = samples.offsets[pair + 1] - samples.offsets[pair]
    product = (times - samples.times[pair]) * rise + delta // 2
    quotient: npt.NDArray[np.int64] = np.abs(product) // np.maximum(delta, 1)
    quotient[product < 0] *= -1
    return quotient


def read_time_shift(option: Option, order: str) -> TimeShift:
    """Read a TIME_SHIFT option; raises InputError where it is cut."""
    cursor = option.cursor(order)
    peer, flags, count = cursor.unpack("QII")
    if count * 4 > cursor.left:
        raise cursor.error(f"{count} CPUs are more than it can hold")
    cpus = [_read_samples(cursor) for _ in range(count)]
    if cursor.left:
        cpus = [c._replace(fractions=_read_array(cursor, len(c.times))) for c in cpus]
    return TimeShift(peer, bool(flags & _INTERPOLATE), [_sorted(c) for c in cpus])


def _read_samples(cursor: Cursor) -> Samples:
    count = cursor.u32()
    if count * _SAMPLE_BYTES > cursor.left:
        raise cursor.error(f"{count} samples are more than it can hold")
    times, offsets, scalings = (_read_array(cursor, count) for _ in range(3))
    return Samples(times, offsets, scalings, np.zeros(count, np.int64))


def _read_array(cursor: Cursor, count: int) -> npt.NDArray[np.int64]:
    return np.frombuffer(cursor.take(8 * count), f"{cursor.order}i8").astype(np.int64)


def _sorted(samples: Samples) -> Samples:
    """By time, of those at one time the first."""
    _, first = np.unique(samples.times, return_index=True)
    return Samples(*(array[first] for array in samples))
