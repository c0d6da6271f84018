"""How long it takes to compare what survives each strategy with all records.

Run with `pytest -o addopts= tests/bench/test_fidelity.py`. The baseline of the same run is one
numpy count of one measure's bins, of which a comparison that holds all records needs one per
strategy and measure.
"""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from spetrace.arm.spe_packets import OperationClass
from spetrace.fidelity.compare import build_fidelity
from spetrace.fidelity.measure import distribution
from spetrace.fidelity.records import CountedRecords
from spetrace.fidelity.survival import Survival
from spetrace.tables.results import OUTCOMES

RECORDS = 8_000_000
STRATEGIES = 14
AT_A_TIME = 1 << 19
PAGES, SOURCES = 2000, 12


@pytest.fixture(scope="module")
def records() -> pl.DataFrame:
    random = np.random.default_rng(0)
    operations = [OperationClass.OTHER, OperationClass.LOAD_STORE, OperationClass.BRANCH]
    return pl.DataFrame(
        {
            "pc": random.integers(0, PAGES, RECORDS).astype(np.uint64),
            "operation_class": np.array(operations, np.uint8)[random.integers(0, 3, RECORDS)],
            "operation_payload": random.integers(0, 2, RECORDS).astype(np.uint8),
            "data_source": random.integers(0, SOURCES, RECORDS).astype(np.uint16),
            "total_latency_cycles": random.gamma(2, 40, RECORDS).astype(np.uint16),
        }
    )


def compare_all(records: pl.DataFrame, outcomes: dict[str, np.ndarray]) -> pa.Table:
    """Table fidelity, as from frames and windows that come one after the other."""
    survival = Survival()
    for start in range(0, RECORDS, AT_A_TIME):
        window = {name: codes[start : start + AT_A_TIME] for name, codes in outcomes.items()}
        rows = np.arange(start, min(start + AT_A_TIME, RECORDS), dtype=np.uint64)
        survival.add(rows, window)
    counted = CountedRecords(survival)
    for frame in records.iter_slices(AT_A_TIME):
        counted.add(frame, pl.col("pc"), pl.lit(0, pl.Int64))
    pcs = counted.pcs.take()
    places = distribution("pc", "pages", np.arange(len(pcs.values)), pcs.groups)
    return build_fidelity([places, *counted.measures()], survival.marks().lost)


@pytest.mark.parametrize("lost", [0.001, 0.5])
def test_fidelity_speed(benchmark: object, records: pl.DataFrame, lost: float) -> None:
    random = np.random.default_rng(1)
    code = OUTCOMES.index("lost_blackout")
    outcomes = {
        f"strategy-{n}": np.where(random.random(RECORDS) < lost, code, 0).astype(np.uint8)
        for n in range(STRATEGIES)
    }
    cycles = records["total_latency_cycles"].to_numpy()
    start = time.perf_counter()
    np.bincount(cycles)
    baseline = time.perf_counter() - start
    table = benchmark.pedantic(compare_all, (records, outcomes), rounds=2)
    assert len(table) == STRATEGIES * 5
    seconds = benchmark.stats.stats.median
    benchmark.extra_info |= {
        "million_records_per_second_per_strategy": round(RECORDS * STRATEGIES / seconds / 1e6, 1),
        "ratio_to_one_numpy_count": round(seconds / STRATEGIES / 4 / baseline, 3),
    }
