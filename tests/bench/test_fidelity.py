"""How long it takes to compare what survives each strategy with all records.

Run with `pytest -o addopts= tests/bench/test_fidelity.py`. The baseline of the same run is one
numpy count of one measure's bins, of which the comparison needs one per strategy and measure.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import Measure, distribution, quantity
from spetrace.tables.results import OUTCOMES

RECORDS = 8_000_000
STRATEGIES = 14
BINS = {"pc": 2000, "data_source": 12, "operation": 4}


@pytest.fixture(scope="module")
def measures() -> list[Measure]:
    random = np.random.default_rng(0)
    known = np.ones(RECORDS, bool)
    cycles = random.gamma(2, 40, RECORDS).astype(np.uint16)
    return [
        *(distribution(n, n, random.integers(0, bins, RECORDS), known) for n, bins in BINS.items()),
        quantity("latency", "total latency", cycles, known),
    ]


@pytest.mark.parametrize("lost", [0.001, 0.5])
def test_fidelity_speed(benchmark: object, measures: list[Measure], lost: float) -> None:
    random = np.random.default_rng(1)
    code = OUTCOMES.index("lost_blackout")
    outcomes = {
        f"strategy-{n}": np.where(random.random(RECORDS) < lost, code, 0).astype(np.uint8)
        for n in range(STRATEGIES)
    }
    start = time.perf_counter()
    np.bincount(measures[0].codes)
    baseline = time.perf_counter() - start
    table = benchmark.pedantic(build_fidelity, (measures, outcomes), rounds=2)
    assert len(table) == STRATEGIES * 5
    seconds = benchmark.stats.stats.median
    benchmark.extra_info |= {
        "million_records_per_second_per_strategy": round(RECORDS * STRATEGIES / seconds / 1e6, 1),
        "ratio_to_one_numpy_count": round(seconds / STRATEGIES / len(measures) / baseline, 3),
    }
