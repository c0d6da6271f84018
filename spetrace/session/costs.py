"""Costs measured: what exits, faults and traps of a recorded host really took.

kvm_exit and kvm_entry lie on the host's side of the world switch, so what the switch itself takes is
in none of these; what the tracing takes is in all of them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.arm.esr import DABT_LOW, SYS64
from spetrace.tables.costs import CostBasis

MEASURED: Final = "measured"
_ENOUGH: Final = 30
"""Exits of a kind before its median decides which kind is the cheapest, if any kind has as many."""
_LONGEST_NS: Final = 10**12
"""What takes longer is a hole or damage in the recording; the largest cost, too."""
_WFX: Final = 0x01
_LAST_LEVEL: Final = 3
_IRQ: Final = 0


def measure_costs(kvm_exits: pa.Table, stage2_faults: pa.Table) -> list[CostBasis]:
    """vm_exit_ns, map_page_ns and sysreg_trap_ns from tables kvm_exits and stage2_faults.

    Medians of the time from kvm_exit to the thread's next kvm_entry. `ns` is None where no event
    tells a cost.
    """
    exits = _frame(kvm_exits).filter(pl.col("handled_ns").is_between(0, _LONGEST_NS))
    exit_cost = _vm_exit(exits)
    traps = exits.filter(pl.col("exit_class") == SYS64)["handled_ns"].to_numpy()
    return [
        exit_cost,
        _map_page(_frame(stage2_faults), exits, exit_cost.ns or 0),
        _cost(
            "sysreg_trap_ns",
            traps,
            "Median of the exits by trapped system registers (SYS64).",
            "No exit by a trapped system register (SYS64) was recorded.",
        ),
    ]


def _vm_exit(exits: pl.DataFrame) -> CostBasis:
    """The kind of exit whose median is the least: one that does next to nothing but exit and enter.

    An abort maps or emulates, a WFx waits: they are no candidates.
    """
    aborts = pl.col("exit_class_name").cast(pl.String).str.contains("ABT")
    kind = pl.when(pl.col("ret") == _IRQ).then(pl.lit("IRQ"))
    kinds = (
        exits.filter(
            pl.col("guest_fault").is_null()
            & ~aborts.fill_null(False)
            & (pl.col("exit_class") != _WFX).fill_null(True)
        )
        .with_columns(kind.otherwise(pl.col("exit_class_name").cast(pl.String)).alias("kind"))
        .drop_nulls("kind")
    )
    medians = kinds.group_by("kind").agg(
        pl.len().alias("n"), pl.col("handled_ns").median().alias("median")
    )
    enough = medians.filter(pl.col("n") >= _ENOUGH)
    ranked = (enough if len(enough) else medians).sort("median", "kind")
    name = ranked["kind"][0] if len(ranked) else ""
    return _cost(
        "vm_exit_ns",
        kinds.filter(pl.col("kind") == name)["handled_ns"].to_numpy(),
        f"Median of the cheapest kind of exit, {name}: an assumption, as every exit does "
        "something; without the world switch itself.",
        "No exit that neither aborts nor waits was recorded.",
    )


def _map_page(faults: pl.DataFrame, exits: pl.DataFrame, exit_ns: int) -> CostBasis:
    """Data aborts that KVM served by a mapping, less the exit."""
    own = exits.filter((pl.col("exit_class") == DABT_LOW) & pl.col("guest_fault").is_not_null())
    kind = pl.col("kind").cast(pl.String)
    mapping = (kind == "translation") | ((kind == "permission") & pl.col("is_write"))
    served = (
        faults.with_row_index("guest_fault")
        .with_columns(pl.col("guest_fault").cast(pl.UInt64))
        .filter(mapping & ~pl.col("mmio") & ~pl.col("is_fetch"))
        .join(own.select("guest_fault", "handled_ns"), on="guest_fault", suffix="_exit")
    )
    taken = served["handled_ns_exit"].to_numpy()
    pages = int((served["level"] == _LAST_LEVEL).sum())
    found = _cost(
        "map_page_ns",
        taken,
        f"Median of the data aborts that map a page ({pages:,} of them at the last level; a block "
        "counts as a page) less vm_exit_ns.",
        "No data abort that maps a page was recorded.",
    )
    if found.ns is None:
        return found
    return CostBasis(**vars(found) | {"ns": max(found.ns - exit_ns, 0)})


def _cost(name: str, taken: npt.NDArray[Any], text: str, missing: str) -> CostBasis:
    if not len(taken):
        return CostBasis(name, None, "default", missing)
    p50, p90, p99 = (round(float(p)) for p in np.percentile(taken, [50, 90, 99]))
    return CostBasis(name, p50, MEASURED, text, len(taken), p50, p90, p99)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame
