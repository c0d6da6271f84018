"""Ticks to ns, one by one and as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from spetrace.ingest.spe.timestamps import ticks_array_to_ns, ticks_to_ns
from spetrace.tables.recording import TimeConversion

U64 = (1 << 64) - 1
LARGE = 0xFEDCBA9876543210


@pytest.mark.parametrize(
    ("conversion", "ticks", "ns"),
    [
        (TimeConversion(10, 40960, 1000), 1000000, 40001000),
        (TimeConversion(21, 83886080, 0), 7_000_000_000_018, 280_000_000_000_720),
        (TimeConversion(0, 1, 0), 1 << 63, -(1 << 63)),
        (TimeConversion(0, 1, U64), 0, -1),
        (TimeConversion(4, 32, U64 - 9), 7, 4),
        (TimeConversion(0, 1, 0, 1000, 0xFF, True), 0x3F0, 1000 + 8),
        (TimeConversion(0, 1, 0, 1000, 0xFF, True), 0x3E7, 1000 + 255),
        (TimeConversion(0, 1, 0, 1000, 0xFF, False), 0x3E7, 999),
        (TimeConversion(64, 3, 5), LARGE, 5),
        (TimeConversion(1 << 40, 3, 5), LARGE, 5),
    ],
)
def test_ticks_to_ns(conversion: TimeConversion, ticks: int, ns: int) -> None:
    assert ticks_to_ns(ticks, conversion) == ns
    assert ticks_array_to_ns(np.array([ticks], np.uint64), conversion).tolist() == [ns]


def test_ticks_to_ns_of_nothing() -> None:
    assert ticks_to_ns(None, TimeConversion(0, 1, 0)) is None
    assert ticks_to_ns(1, None) is None


def test_ticks_array_is_not_changed() -> None:
    ticks = np.array([1, LARGE], np.uint64)
    ticks_array_to_ns(ticks, TimeConversion(3, 5, 7, 9, U64, True))
    assert ticks.tolist() == [1, LARGE]
