"""Stage-2 faults of one VM: what they were, and how many came over time."""

from __future__ import annotations

from typing import Final

import polars as pl

from spetrace.kvm.times import times_in, times_of
from spetrace.tables.kvm_summary import FaultClass, FaultRate

BINS_MAX: Final = 240
_SECOND: Final = 10**9
_STEPS: Final = (1, 2, 5)
ACCESS: Final = (
    pl.when(pl.col("on_stage1_walk"))
    .then(pl.lit("stage-1 walk"))
    .when(pl.col("is_fetch"))
    .then(pl.lit("fetch"))
    .when(pl.col("is_cache_maintenance"))
    .then(pl.lit("cache maintenance"))
    .when(pl.col("is_write"))
    .then(pl.lit("write"))
    .otherwise(pl.lit("read"))
)
"""What a fault of table stage2_faults was for."""
_OUTCOME: Final = (
    pl.when(pl.col("is_emulated"))
    .then(pl.lit("emulated"))
    .when(pl.col("mmio"))
    .then(pl.lit("taken again"))
    .otherwise(pl.lit("served"))
)
_KIND: Final = (
    pl.when(pl.col("level").is_null())
    .then(pl.col("kind").cast(pl.String))
    .otherwise(pl.format("{}, level {}", pl.col("kind").cast(pl.String), "level"))
)


def fault_classes(faults: pl.DataFrame) -> tuple[FaultClass, ...]:
    """Of table stage2_faults, the most frequent class first."""
    keys = [_OUTCOME.alias("outcome"), _KIND.alias("of_kind"), ACCESS.alias("access")]
    classes = faults.group_by(keys).agg(pl.len().alias("faults"), *times_of("handled_ns"))
    order = ["faults", "outcome", "of_kind", "access"]
    rows = classes.sort(order, descending=[True, False, False, False]).iter_rows(named=True)
    return tuple(
        FaultClass(row["outcome"], row["of_kind"], row["access"], row["faults"], times_in(row))
        for row in rows
    )


def fault_rate(faults: pl.DataFrame, span_ns: tuple[int, int]) -> FaultRate:
    """Of table stage2_faults, in bins of 1, 2 or 5 times a power of ten ns."""
    first, last = span_ns
    bin_ns = bin_length(last - first)
    bins = (last - first) // bin_ns + 1
    counts = faults.group_by(
        ((pl.col("time_ns") - first) // bin_ns).alias("bin"),
        pl.col("is_emulated").fill_null(False).alias("emulated"),
    ).len()
    lists = {False: [0] * bins, True: [0] * bins}
    for number, emulated, count in counts.iter_rows():
        if 0 <= number < bins:
            lists[emulated][number] = count
    told = sum(lists[False])
    per_second = told * _SECOND / (last - first) if last > first else 0.0
    return FaultRate(first, bin_ns, tuple(lists[False]), tuple(lists[True]), per_second)


def bin_length(span_ns: int) -> int:
    """The shortest bin that parts the span into BINS_MAX bins at most."""
    power = 1
    while True:
        for step in _STEPS:
            if span_ns // (step * power) + 2 <= BINS_MAX:
                return step * power
        power *= 10
