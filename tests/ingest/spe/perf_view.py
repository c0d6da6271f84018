"""SPE records as perf's own decoder (7.3) sees them, to compare our table with perf's CSV dumps."""

from __future__ import annotations

import functools
import gzip
import io
import operator
from pathlib import Path

import polars as pl

PERF_COLUMNS = {
    "from_ip": pl.UInt64,
    "to_ip": pl.UInt64,
    "virt": pl.UInt64,
    "phys": pl.UInt64,
    "ts": pl.UInt64,
    "ctx": pl.Int64,
    "latency": pl.UInt32,
    "op": pl.UInt32,
    "events": pl.UInt64,
    "source": pl.UInt16,
}
HEX_COLUMNS = ("from_ip", "to_ip", "virt", "phys", "op", "events")

ADDRESS_BITS = (1 << 56) - 1
TOP_BYTE = 0xFF << 56

# arm-spe-decoder.h, flags of enum arm_spe_op_type and friends
OTHER, LOAD_STORE, BRANCH = 1 << 0, 1 << 1, 1 << 2
GP_REG, UNSPEC_REG, NV_SYSREG, SIMD_FP, SVE, MTE_TAG, MEMCPY, MEMSET, GCS, SME, ASE = (
    1 << n for n in range(8, 19)
)
LD, ST, ATOMIC, EXCL, AR, DP, PRED, SG, COMM, FP, COND = (1 << n for n in range(20, 31))
BRANCH_COND, BRANCH_INDIRECT, BRANCH_GCS, BRANCH_CR = 1 << 8, 1 << 9, 1 << 10, 1 << 11


def read_perf_csv(path: Path) -> pl.DataFrame:
    """perf's records of a `*.records*.csv[.gz]` file, typed as `to_perf_view` gives them."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        text = pl.read_csv(io.BytesIO(file.read()), infer_schema=False)
    return text.select(
        (
            pl.col(name).str.to_integer(base=16, dtype=dtype)
            if name in HEX_COLUMNS
            else pl.col(name).cast(dtype)
        )
        for name, dtype in PERF_COLUMNS.items()
    )


def to_perf_view(records: pl.DataFrame) -> pl.DataFrame:
    """The table spe_records with perf's canonical addresses, and 0 (ctx: -1) for what is absent."""
    expressions = {
        "from_ip": _instruction_address("pc"),
        "to_ip": _instruction_address("branch_target"),
        "virt": _data_address(),
        "phys": pl.col("pa"),
        "ts": pl.col("timestamp_ticks"),
        "ctx": pl.coalesce("context_el2", "context_el1", pl.lit(-1, pl.Int64)),
        "latency": pl.col("total_latency_cycles"),
        "op": _operation_flags(),
        "events": pl.col("events"),
        "source": pl.col("data_source"),
    }
    return records.select(
        expressions[name].cast(dtype).fill_null(0).alias(name)
        for name, dtype in PERF_COLUMNS.items()
    )


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, pl.UInt64)


def _instruction_address(name: str) -> pl.Expr:
    level = pl.col(f"{name}_exception_level")
    address = pl.col(name) & _u64(ADDRESS_BITS)
    is_kernel = pl.col(f"{name}_ns") & level.is_in([1, 2])
    return pl.when(is_kernel).then(address | _u64(TOP_BYTE)).otherwise(address)


def _data_address() -> pl.Expr:
    address = pl.col("va") & _u64(ADDRESS_BITS)
    upper = _u64(0xF << 52)
    return pl.when(address & upper == upper).then(address | _u64(TOP_BYTE)).otherwise(address)


def _flag(condition: pl.Expr, flag: int) -> pl.Expr:
    return pl.when(condition).then(pl.lit(flag, pl.UInt32)).otherwise(pl.lit(0, pl.UInt32))


def _bit(bit: int, flag: int) -> pl.Expr:
    return _flag(pl.col("operation_payload") & (1 << bit) != 0, flag)


def _payload_is(mask: int, value: int) -> pl.Expr:
    return pl.col("operation_payload") & mask == value


def _operation_flags() -> pl.Expr:
    kind = pl.col("operation_class")
    return (
        pl.when(kind == 0)
        .then(OTHER | _other_flags())
        .when(kind == 1)
        .then(LOAD_STORE | _bit(0, ST) | _flag(_payload_is(1, 0), LD) | _load_store_flags())
        .when(kind == 2)
        .then(BRANCH | _branch_flags())
    )


def _other_flags() -> pl.Expr:
    return (
        pl.when(_payload_is(0x89, 0x08))
        .then(SVE | DP | _bit(1, FP) | _bit(2, PRED))
        .when(_payload_is(0x89, 0x88))
        .then(SME | _bit(1, FP))
        .when(_payload_is(0xF8, 0))
        .then(_bit(0, COND) | _bit(1, FP) | _bit(2, ASE))
        .otherwise(pl.lit(0, pl.UInt32))
    )


def _load_store_flags() -> pl.Expr:
    return (
        pl.when(_payload_is(0xE2, 0x02))
        .then(_bit(2, ATOMIC) | _bit(3, EXCL) | _bit(4, AR))
        .when(_payload_is(0xFE, 0x04))
        .then(SIMD_FP)
        .when(_payload_is(0xFE, 0x00))
        .then(GP_REG)
        .when(_payload_is(0xFE, 0x10))
        .then(UNSPEC_REG)
        .when(_payload_is(0xFE, 0x30))
        .then(NV_SYSREG)
        .when(_payload_is(0xFE, 0x14))
        .then(MTE_TAG)
        .when(_payload_is(0xFE, 0x20))
        .then(MEMCPY)
        .when(_payload_is(0xFF, 0x25))
        .then(MEMSET)
        .when(_payload_is(0x0A, 0x08))
        .then(SVE | _bit(2, PRED) | _bit(7, SG))
        .when(_payload_is(0xFA, 0x40))
        .then(GCS | _bit(2, COMM))
        .otherwise(pl.lit(0, pl.UInt32))
    )


def _branch_flags() -> pl.Expr:
    link = (_flag(_payload_is(0x18, n << 3), BRANCH_CR << (n - 1)) for n in (1, 2, 3))
    bits = _bit(0, BRANCH_COND) | _bit(1, BRANCH_INDIRECT) | _bit(2, BRANCH_GCS)
    return functools.reduce(operator.or_, link, bits)
