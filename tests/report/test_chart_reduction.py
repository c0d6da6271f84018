from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.report.charts.reduction import envelope_rows, longest_rows

VALUES = st.lists(st.integers(0, 50), min_size=0, max_size=300).map(lambda v: np.array(v, np.int64))


@given(VALUES, st.integers(4, 80))
@settings(deadline=None, max_examples=80)
def test_envelope_keeps_ends_and_extremes_within_its_budget(values: np.ndarray, most: int) -> None:
    rows = envelope_rows(values, most)
    assert len(rows) <= most
    assert (np.diff(rows) > 0).all()
    if len(values):
        kept = values[rows]
        assert (kept.min(), kept.max()) == (values.min(), values.max())
        assert (kept[0], kept[-1]) == (values[0], values[-1])
    if len(values) <= most:
        assert len(rows) == len(values)


def test_envelope_keeps_the_extremes_of_each_stretch() -> None:
    values = np.zeros(1000, np.int64)
    values[[123, 456, 789]] = [5, -7, 9]
    assert {123, 456, 789} <= set(envelope_rows(values, 100).tolist())


@given(VALUES, st.integers(1, 80))
@settings(deadline=None, max_examples=80)
def test_longest_are_the_longest(lengths: np.ndarray, most: int) -> None:
    rows = longest_rows(lengths, most)
    assert len(rows) == len(set(rows.tolist())) == min(most, len(lengths))
    assert (np.diff(rows) > 0).all()
    expected = sorted(lengths.tolist(), reverse=True)[:most]
    assert sorted(lengths[rows].tolist(), reverse=True) == expected


def test_longest_of_equal_lengths_are_spread_over_time() -> None:
    rows = longest_rows(np.full(1_000_000, 7, np.int64), 11)
    assert rows[0] == 0
    assert rows[-1] == 999_999
    assert np.diff(rows) == pytest.approx(100_000, rel=0.01)
