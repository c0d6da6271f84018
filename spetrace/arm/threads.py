"""Threads of SPE records: CONTEXTIDR joined to the threads' names."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

THREAD_COLUMNS = {
    "thread_tid": "thread that ran: CONTEXTIDR_EL2, else CONTEXTIDR_EL1, else the AUX stream's thread",
    "thread_pid": "its process",
    "thread_comm": "its name at time_ns; its last one where time_ns is null",
}
"""What `with_threads` adds: column name to doc."""

_ROW = "__row"
_AT = "__at_ns"
_BEFORE_ALL = -(1 << 63)
_AFTER_ALL = (1 << 63) - 1


def thread_tid() -> pl.Expr:
    """The thread that ran, over table spe_records: int64, null where no register tells it.

    Linux writes the thread id into CONTEXTIDR if built with PID_IN_CONTEXTIDR (the register of
    EL2 where the kernel runs there, VHE), as a number of the initial PID namespace. In a record of
    a guest CONTEXTIDR_EL1 is the guest's: its threads aren't those of the host's table.
    """
    return pl.coalesce(
        pl.col(name).cast(pl.Int64) for name in ("context_el2", "context_el1", "tid")
    )


def with_threads(records: Frame, threads: pl.DataFrame) -> Frame:
    """The records of table spe_records with THREAD_COLUMNS after their own columns, in their order.

    `threads` is `Recording.threads` (table threads): `tid`, `pid`, `comm` and `time_ns`, from when
    on the row holds; null: before the recording. Of rows of one time the last holds. A record from
    before its thread's first row has no pid and comm.
    """
    known = threads.lazy().select(
        pl.col("tid").cast(pl.Int64).alias("thread_tid"),
        pl.col("time_ns").cast(pl.Int64).fill_null(_BEFORE_ALL).alias(_AT),
        pl.col("pid").alias("thread_pid"),
        pl.col("comm").alias("thread_comm"),
    )
    joined = (
        records.lazy()
        .with_columns(thread_tid().alias("thread_tid"))
        .with_row_index(_ROW)
        .with_columns(pl.col("time_ns").fill_null(_AFTER_ALL).alias(_AT))
        .sort(_AT, maintain_order=True)
        .join_asof(
            known.sort(_AT, maintain_order=True), on=_AT, by="thread_tid", check_sortedness=False
        )
        .sort(_ROW)
        .drop(_ROW, _AT)
    )
    return joined.collect() if isinstance(records, pl.DataFrame) else joined
