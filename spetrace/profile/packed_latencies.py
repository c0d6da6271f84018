"""Latencies counted exactly: how many records of a kind took how many cycles.

Latencies have 16 bits, so counts per value are exact and can be added up. A record's kind and value
are one number while they are counted.
"""

from __future__ import annotations

from typing import Final

import polars as pl

COUNTERS: Final = {
    "total": "total_latency_cycles",
    "issue": "issue_latency_cycles",
    "translation": "translation_latency_cycles",
}
"""Latency counter to its column."""

_FIELDS: Final = {"cycles": 17, "data_source": 17, "op": 3, "tlb": 2, "model": 8}
"""Field of the number to its bits, from bit 0 on; 0 stands for null, n + 1 for n."""
_TYPES: Final = {
    "cycles": pl.UInt16, "data_source": pl.UInt16, "op": pl.UInt8, "tlb": pl.UInt8,
    "model": pl.UInt8,
}  # fmt: skip
_WALK: Final = 1


def pack(frame: pl.DataFrame, counter: str) -> pl.DataFrame:
    """`samples` by `key`: of all records for the counter total, else of those that have it."""
    column = COUNTERS[counter]
    accessed = pl.col("tlb_accesses") | pl.col("tlb_walks")
    tlb = pl.when(accessed).then(pl.col("tlb_walks").cast(pl.UInt8))
    values = {
        "cycles": pl.col(column),
        "data_source": pl.col("data_source"),
        "op": pl.col("op"),
        "tlb": tlb,
        "model": pl.col("model"),
    }
    key, factor = pl.lit(0, pl.UInt64), 1
    for name, bits in _FIELDS.items():
        spare = int(name != "model")
        code = (values[name].cast(pl.UInt64) + spare).fill_null(0)
        key, factor = key + code * factor, factor << bits
    kept = frame if counter == "total" else frame.filter(pl.col(column).is_not_null())
    return (
        kept.select(key.alias("key")).group_by("key").agg(pl.len().cast(pl.UInt64).alias("samples"))
    )


def unpack(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts by `cycles`, `data_source`, `op`, `tlb` (Boolean) and `model`."""
    fields, factor = [], 1
    for name, bits in _FIELDS.items():
        code = pl.col("key") // factor % (1 << bits)
        value = code if name == "model" else pl.when(code > 0).then(code - 1)
        fields.append(value.cast(_TYPES[name]).alias(name))
        factor <<= bits
    unpacked = counts.select(*fields, "samples")
    return unpacked.with_columns(pl.col("tlb") == _WALK)
