"""Generic timer ticks of SPE timestamps to perf time (tools/perf/util/tsc.c, tsc_to_perf_time)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spetrace.tables.recording import TimeConversion

_U64 = (1 << 64) - 1


def ticks_to_ns(ticks: int | None, conversion: TimeConversion | None) -> int | None:
    """`ticks` in ns: u64 arithmetic that wraps, the result read as int64; None without either."""
    if ticks is None or conversion is None:
        return None
    shift = min(conversion.shift, 64)
    if conversion.short:
        since = (ticks - conversion.cycles) & conversion.mask & _U64
        ticks = (conversion.cycles + since) & _U64
    quotient, remainder = ticks >> shift, ticks & ((1 << shift) - 1)
    fraction = (remainder * conversion.multiplier & _U64) >> shift
    ns = (conversion.zero + quotient * conversion.multiplier + fraction) & _U64
    return ns - (1 << 64) if ns >> 63 else ns


def ticks_array_to_ns(
    ticks: npt.NDArray[np.uint64], conversion: TimeConversion
) -> npt.NDArray[np.int64]:
    """`ticks_to_ns` of a whole array (uint64, any shape)."""
    if conversion.shift >= 64:
        return np.full(ticks.shape, _u64(conversion.zero).astype(np.int64))
    shift, multiplier = np.uint64(conversion.shift), _u64(conversion.multiplier)
    if conversion.short:
        cycles = _u64(conversion.cycles)
        ticks = ((ticks - cycles) & _u64(conversion.mask)) + cycles
    fraction = ticks & _u64((1 << conversion.shift) - 1)
    fraction *= multiplier
    fraction >>= shift
    ns = ticks >> shift
    ns *= multiplier
    ns += fraction
    ns += _u64(conversion.zero)
    return ns.view(np.int64)


def _u64(value: int) -> np.uint64:
    return np.uint64(value & _U64)
