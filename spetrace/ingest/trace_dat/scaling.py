"""Products of 128 bits, shifted down."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def multiply_shift(values, multiplier, shift):  # type: ignore[no-untyped-def]
    """(values * multiplier) >> shift of uint64 values with a product of 128 bits, 0 <= shift < 64."""
    low_half = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    factor = np.uint64(multiplier)
    factor_low, factor_high = factor & low_half, factor >> half
    down = np.uint64(shift)
    out = np.empty_like(values)
    for i in range(len(values)):
        low, high = values[i] & low_half, values[i] >> half
        first = low * factor_low
        second = high * factor_low + (first >> half)
        third = low * factor_high + (second & low_half)
        bottom = (third << half) | (first & low_half)
        top = high * factor_high + (second >> half) + (third >> half)
        if down:
            out[i] = (bottom >> down) | (top << (np.uint64(64) - down))
        else:
            out[i] = bottom
    return out
