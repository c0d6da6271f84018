"""The records that a profile is made of: where they come from, and the columns that it counts by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.arm.event_expressions import (
    has_event,
    l1d_miss,
    llc_miss,
    mispredicted,
    not_taken,
    tlb_walk,
)
from spetrace.arm.events import Event
from spetrace.arm.per_cpu import by_cpu
from spetrace.arm.spe_packets import OPERATION_STORE, OperationClass
from spetrace.arm.threads import thread_tid
from spetrace.profile.address_spaces import UNKNOWN, AddressSpaces
from spetrace.profile.timed_lookup import END, Int64s

COLUMNS: Final = (
    "source", "cpu", "tid", "time_ns", "pc", "pc_exception_level", "va", "pa", "operation_class",
    "operation_payload", "events", "total_latency_cycles", "issue_latency_cycles",
    "translation_latency_cycles", "data_source", "context_el1", "context_el2",
)  # fmt: skip
"""The columns of table spe_records that are counted by."""

OPERATIONS: Final = ("other", "load", "store", "branch")
"""Operation by its code in the column `op`."""
LOAD, STORE, BRANCH = 1, 2, 3

_KERNEL_HALF = 1 << 63
PAGE_BITS: Final = 12

Scan = Callable[[Sequence[str]], Iterator[pl.DataFrame]]
"""Gives the records once more: frames with the asked columns of table spe_records."""


@dataclass(frozen=True)
class Samples:
    """Records and what the recording says about them.

    `mappings` and `threads` are the tables of those names, `midrs` the CPUs' MIDR_EL1 per input (as
    `SpeData.midrs`), `sources` the number of inputs.
    """

    scan: Scan
    mappings: pl.DataFrame
    threads: pl.DataFrame
    midrs: Mapping[int, Mapping[int | None, int]] = field(default_factory=dict)
    sources: int = 1
    cpu: int | None = None
    """Only records of this CPU."""
    source: int | None = None
    """Only records of this input."""

    def frames(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The records that are to be counted."""
        for frame in self.scan([*columns, *({"source", "cpu"} - set(columns))]):
            yield self.of_choice(frame)

    def of_choice(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of the chosen CPU and input."""
        chosen = [
            pl.col(name) == value
            for name, value in (("cpu", self.cpu), ("source", self.source))
            if value is not None
        ]
        return frame.filter(*chosen) if chosen else frame


def model_codes(samples: Samples) -> tuple[list[int | None], pl.Expr]:
    """The MIDRs that there are, and per record the place of its CPU's among them (UInt8).

    More than 255 are one CPU too many for a machine: the rest counts as unknown.
    """
    found = {midr for by_number in samples.midrs.values() for midr in by_number.values()}
    midrs: list[int | None] = [None, *sorted(found)[:255]]
    codes = {midr: code for code, midr in enumerate(midrs)}

    def make(code: int) -> pl.Expr:
        return pl.lit(code, pl.UInt8)

    chosen = make(0)
    for source, by_number in samples.midrs.items():
        own = by_cpu(by_number, pl.col("cpu"), lambda midr: codes.get(midr, 0), make)
        chosen = own if samples.sources == 1 else (
            pl.when(pl.col("source") == source).then(own).otherwise(chosen)
        )  # fmt: skip
    return midrs, chosen.alias("model")


def operation_code() -> pl.Expr:
    """Place of the operation in OPERATIONS; null where the record has no (known) operation."""
    kind, store = pl.col("operation_class"), pl.col("operation_payload") & OPERATION_STORE
    return (
        pl.when(kind == OperationClass.LOAD_STORE)
        .then(store.cast(pl.UInt8) + LOAD)
        .when(kind == OperationClass.BRANCH)
        .then(pl.lit(BRANCH, pl.UInt8))
        .when(kind == OperationClass.OTHER)
        .then(pl.lit(0, pl.UInt8))
        .alias("op")
    )


def event_flags() -> list[pl.Expr]:
    """The events that are counted per place, False where the record has no events packet."""
    branch = pl.col("op").eq_missing(BRANCH)
    flags = {
        "mispredicted": mispredicted() & branch,
        "not_taken": not_taken() & branch,
        "l1d_refills": l1d_miss(),
        "llc_refills": llc_miss(),
        "tlb_walks": tlb_walk(),
        "tlb_accesses": has_event(Event.TLB_ACCESS),
    }
    return [flag.fill_null(False).alias(name) for name, flag in flags.items()]


def with_places(frame: pl.DataFrame, spaces: AddressSpaces) -> pl.DataFrame:
    """The records with `epoch` (of the PC) and `space` (of the data address)."""
    own, kernel = _spaces(frame, spaces)
    in_kernel = _holds(frame, (pl.col("pc") >= _KERNEL_HALF) | (pl.col("pc_exception_level") > 0))
    epochs = spaces.epochs(np.where(in_kernel, kernel, own), _times(frame))
    return _with_data_space(frame, own, kernel).with_columns(epoch=pl.Series(epochs))


def with_spaces(frame: pl.DataFrame, spaces: AddressSpaces) -> pl.DataFrame:
    """The records with `space` (of the data address)."""
    return _with_data_space(frame, *_spaces(frame, spaces))


def _with_data_space(frame: pl.DataFrame, own: Int64s, kernel: Int64s) -> pl.DataFrame:
    in_kernel = _holds(frame, pl.col("va") >= _KERNEL_HALF)
    return frame.with_columns(space=pl.Series(np.where(in_kernel, kernel, own)))


def _spaces(frame: pl.DataFrame, spaces: AddressSpaces) -> tuple[Int64s, Int64s]:
    """The space of each record's thread, and the kernel's."""
    sources = frame["source"].cast(pl.Int64).to_numpy()
    tids = frame.select(thread_tid().fill_null(UNKNOWN)).to_series().to_numpy()
    return spaces.of_threads(sources, tids, _times(frame)), spaces.kernel(sources)


def _times(frame: pl.DataFrame) -> Int64s:
    return frame["time_ns"].fill_null(END).to_numpy()


def _holds(frame: pl.DataFrame, condition: pl.Expr) -> npt.NDArray[np.bool_]:
    return frame.select(condition.fill_null(False)).to_series().to_numpy()
