"""Stage-2 faults of one VM: what they were, and how many came over time."""

from __future__ import annotations

from typing import Final

import polars as pl

from spetrace.kvm.durations import Durations
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
_KEYS: Final = ("outcome", "of_kind", "access")


class FaultClasses:
    """Takes one VM's rows of table stage2_faults."""

    def __init__(self) -> None:
        self._handled: dict[tuple[str, ...], Durations] = {}
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, faults: pl.DataFrame) -> None:
        """Take some more."""
        keys = (_OUTCOME.alias("outcome"), _KIND.alias("of_kind"), ACCESS.alias("access"))
        told = faults.select(*keys, "handled_ns")
        for key, own in told.partition_by(*_KEYS, as_dict=True).items():
            self._handled.setdefault(key, Durations()).add(own["handled_ns"])
            self._counts[key] = self._counts.get(key, 0) + len(own)

    def classes(self) -> tuple[FaultClass, ...]:
        """The most frequent class first."""
        order = sorted(self._counts, key=lambda key: (-self._counts[key], *key))
        return tuple(
            FaultClass(outcome, kind, access, self._counts[key], self._handled[key].times())
            for key in order
            for outcome, kind, access in [key]
        )


class FaultTimes:
    """Takes one VM's rows of table stage2_faults, and counts them in bins of 1, 2 or 5 times a power of
    ten ns.
    """

    def __init__(self, span_ns: tuple[int, int]) -> None:
        self._first, self._last = span_ns
        self._bin_ns = bin_length(self._last - self._first)
        bins = (self._last - self._first) // self._bin_ns + 1
        self._counts = {False: [0] * bins, True: [0] * bins}

    def add(self, faults: pl.DataFrame) -> None:
        """Take some more."""
        counts = faults.group_by(
            ((pl.col("time_ns") - self._first) // self._bin_ns).alias("bin"),
            pl.col("is_emulated").fill_null(False).alias("emulated"),
        ).len()
        for number, emulated, count in counts.iter_rows():
            if 0 <= number < len(self._counts[emulated]):
                self._counts[emulated][number] += count

    def rate(self) -> FaultRate:
        """All of them."""
        told, span = sum(self._counts[False]), self._last - self._first
        per_second = told * _SECOND / span if span > 0 else 0.0
        own, emulated = (tuple(self._counts[which]) for which in (False, True))
        return FaultRate(self._first, self._bin_ns, own, emulated, per_second)


def bin_length(span_ns: int) -> int:
    """The shortest bin that parts the span into BINS_MAX bins at most."""
    power = 1
    while True:
        for step in _STEPS:
            if span_ns // (step * power) + 2 <= BINS_MAX:
                return step * power
        power *= 10
