"""The noise: against brute-force resampling, and what it makes of random and systematic losses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_fidelity import compared, latencies, places, plain_distance, plain_percentile

from spetrace.fidelity import noise
from spetrace.fidelity.noise import distances_of_random_losses, shifts_of_random_losses

RECORDS = [1] * 40 + [2] * 30 + [3] * 20 + [4] * 6 + [5] * 3 + [6]


def resampled(surviving: int, statistic: Callable[[list[int]], float]) -> np.ndarray:
    """The statistic of subsets that are drawn record by record."""
    random = np.random.default_rng(11)
    subsets = (random.permutation(RECORDS)[:surviving].tolist() for _ in range(2000))
    return np.array([statistic(subset) for subset in subsets])


def assert_alike(drawn: np.ndarray, brute: np.ndarray) -> None:
    """Of each value as many lie at or below it, but for what chance explains (Kolmogorov, Smirnov)."""
    drawn, brute = np.sort(drawn.round(9)), np.sort(brute.round(9))
    values = np.union1d(drawn, brute)
    below = (np.searchsorted(each, values, "right") / len(each) for each in (drawn, brute))
    assert np.abs(np.subtract(*below)).max() < 0.06


@pytest.mark.parametrize("surviving", [5, 50, 95, 99])
def test_distances_are_those_of_resampling(surviving: int) -> None:
    counts = places(RECORDS).counts()
    drawn = distances_of_random_losses(counts, surviving, np.random.default_rng(3), 2000)
    brute = resampled(surviving, lambda subset: float(plain_distance(subset, RECORDS)))
    assert_alike(drawn, brute)


@pytest.mark.parametrize("percent", [50, 99])
@pytest.mark.parametrize("surviving", [1, 5, 50, 99])
def test_shifts_have_the_chances_of_resampling(surviving: int, percent: int) -> None:
    measure = latencies(RECORDS)
    drawn = shifts_of_random_losses(
        percent / 100,
        measure.counts(),
        measure.bin_values,
        surviving,
        np.random.default_rng(3),
        20_000,
    )
    whole = plain_percentile(percent, RECORDS)
    brute = resampled(surviving, lambda subset: plain_percentile(percent, subset) - whole)
    for shift in range(-5, 6):
        assert np.mean(drawn == shift) == pytest.approx(np.mean(brute == shift), abs=0.04)


def test_more_records_than_numpy_can_draw_from(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.array([40_000, 30_000, 20_000, 10_000])
    exact = distances_of_random_losses(counts, 50_000, np.random.default_rng(1))
    monkeypatch.setattr(noise, "_MOST_RECORDS", 9_999)
    scaled = distances_of_random_losses(counts, 50_000, np.random.default_rng(1))
    assert np.median(scaled) == pytest.approx(np.median(exact), rel=0.2)


def test_noise_is_seeded_and_knows_no_other_strategy() -> None:
    survives = np.random.default_rng(5).random(len(RECORDS)) < 0.7
    first, again, other = (
        compared([places(RECORDS)], survives.tolist(), seed)[0] for seed in (0, 0, 1)
    )
    assert first == again
    assert first["value"] == other["value"]
    assert first["noise_p50"] <= first["noise_p95"]


def test_random_losses_are_rarely_skewed() -> None:
    random = np.random.default_rng(7)
    every = random.integers(0, 40, 4000)
    cycles = random.gamma(2, 30, 4000).astype(int)
    measures = [places(every.tolist()), latencies(cycles.tolist())]
    skewed = dict.fromkeys(("pc", "latency_p50", "latency_p99"), 0)
    for _ in range(100):
        for row in compared(measures, (random.random(4000) < random.uniform(0.2, 0.98)).tolist()):
            skewed[row["measure"]] += row["is_skewed"]
    assert all(count <= 15 for count in skewed.values()), skewed


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 9), st.integers(0, 1000))
def test_loss_at_one_place_is_skewed(place: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    every = random.integers(0, 10, 2000)
    survives = (every != place) | (random.random(2000) < 0.3)
    (row,) = compared([places(every.tolist())], survives.tolist())
    assert row["is_skewed"] is True
    assert row["value"] > 2 * row["noise_p95"]


def test_losing_the_slow_records_shifts_latency() -> None:
    cycles = np.random.default_rng(2).integers(10, 500, 5000)
    rows = compared([latencies(cycles.tolist())], (cycles < 400).tolist())
    assert [row["is_skewed"] for row in rows] == [True, True]
    assert all(row["value"] < -40 for row in rows)


def test_more_records_than_numpy_draws_from_can_lose_one() -> None:
    counts = np.full(2048, 488_283)
    records = int(counts.sum())
    assert records >= 10**9
    drawn = distances_of_random_losses(counts, records - 1, np.random.default_rng(0), 2)
    assert (drawn < 1e-3).all()
