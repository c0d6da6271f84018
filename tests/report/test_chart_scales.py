from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import small_run

from spetrace.report.charts.scales import broken_log, size_axis, time_scale

SIZES = st.lists(st.integers(0, 2**45), min_size=1, max_size=20)


@given(SIZES)
@settings(deadline=None, max_examples=60)
def test_broken_log_keeps_order_and_holds_all_values(values: list[int]) -> None:
    scale = broken_log(values, 2)
    ordered = sorted(set(values))
    places = scale.positions(ordered).tolist()
    assert places == sorted(places)
    assert all(0 <= place <= scale.end + 1e-3 for place in places)
    assert all(
        place >= scale.gap - 1e-3 for value, place in zip(ordered, places, strict=True) if value
    )


@pytest.mark.parametrize(("low", "high"), [(4096, 8192), (1, 2**40), (4096, 2**30)])
def test_ticks_are_few_and_zero_is_one_of_them(low: int, high: int) -> None:
    axis = size_axis(broken_log([low, high], 2))
    assert axis["ticktext"][0] == "0"
    assert axis["tickvals"][0] == 0
    assert 2 <= len(axis["tickvals"]) <= 6
    assert axis["tickvals"] == sorted(axis["tickvals"])


def test_scale_of_sizes_labels_powers() -> None:
    axis = size_axis(broken_log([0, 4096, 128 << 20], 2))
    assert axis["ticktext"] == ["0", "4 KiB", "64 KiB", "1 MiB", "16 MiB"]
    steps = np.diff(axis["tickvals"][1:])
    assert np.allclose(steps, 4, atol=1e-3)


def test_zero_stands_a_visible_gap_below_the_least_value() -> None:
    scale = broken_log([0, 4096, 1 << 30], 2)
    zero, least, most = scale.positions([0, 4096, 1 << 30]).tolist()
    assert zero == 0
    assert least / most == pytest.approx(0.16 / 1.16, rel=0.02)


def test_scale_of_nothing_but_zeros() -> None:
    assert broken_log([0, 0], 2).positions([0]).tolist() == [0]


@pytest.mark.parametrize("span", [1, 150_000, 45_200_000_000, 86_400 * 10**9])
def test_times_are_as_fine_as_a_millionth_of_the_session(span: int) -> None:
    run = small_run(span_ns=[1_000, 1_000 + span])
    scale = time_scale(run, np.array([], np.int64))
    times = np.array([1_000, 1_000 + span // 3, 1_000 + span])
    exact = (times - 1_000) / 1e9
    assert np.abs(scale.seconds(times) - exact).max() <= max(span / 1e9 / 1e6, 1e-9)
    assert all(len(repr(x)) <= 17 for x in scale.seconds(times).tolist())


def test_times_of_a_session_without_a_span_are_those_of_the_rows() -> None:
    scale = time_scale(small_run(span_ns=None), np.array([50, 20, 80]))
    assert (scale.start_ns, scale.span_ns) == (20, 60)
    assert math.isclose(scale.seconds_end, 60e-9)
