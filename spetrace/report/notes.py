"""Where the columns of a comparison can't be compared, and how to read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spetrace.report.figures import Counters
from spetrace.report.groups import NOT_APPLICABLE, Strategy
from spetrace.report.wording import count_of, join_names


def notes(
    total: Mapping[str, Counters], strategies: Sequence[Strategy], vms: int, vm_tables: int
) -> tuple[str, ...]:
    """A sentence or two each, in the order of the tables."""
    return (
        *_on_bounds(strategies),
        *_on_shares(total),
        *_on_times(total),
        *_on_memory(total),
        *_on_vms(vms, vm_tables),
    )


def _on_bounds(strategies: Sequence[Strategy]) -> Iterator[str]:
    for strategy in strategies:
        if strategy.bound == "upper":
            yield (
                f"{strategy.name} is the upper bound: it has no stage 2, so {NOT_APPLICABLE!r} "
                "stands in columns that say nothing about it."
            )
        elif strategy.bound == "lower":
            yield (
                f"{strategy.name} is the lower bound: it reports every stage-2 fault to the guest "
                "as an external abort and does nothing else."
            )


def _on_shares(total: Mapping[str, Counters]) -> Iterator[str]:
    records = max((row["records"] for row in total.values()), default=0)
    yield f"Percentages are of all sample records ({records:,}), in a VM's tables of that VM's."
    if off := max((row["not_profiled"] for row in total.values()), default=0):
        yield (
            f"Up to {count_of(off, 'record')} came while the guest had profiling off; no strategy "
            "is to blame for them."
        )


def _on_times(total: Mapping[str, Counters]) -> Iterator[str]:
    yield (
        "Blackout and stopped time are the guest's without profiling, over all vCPUs; overhead is "
        "what the cost model charges, and moves no event: all strategies see the same times."
    )
    if names := [name for name, row in total.items() if row["setup_ns"]]:
        yield f"Setup is charged once, before the VM runs, and is no part of overhead: {join_names(names)}."


def _on_memory(total: Mapping[str, Counters]) -> Iterator[str]:
    if names := [name for name, row in total.items() if row["bytes_copied"]]:
        yield (
            f"The pinned memory of {join_names(names)} is a buffer in the host, "
            "whose records are copied to the guest's."
        )
    if names := [name for name, row in total.items() if row["memlock_failures"]]:
        yield (
            f"RLIMIT_MEMLOCK refused pins of {join_names(names)}: "
            "with a higher limit they would pin more and lose less."
        )


def _on_vms(vms: int, vm_tables: int) -> Iterator[str]:
    if vms > 1:
        yield "Over all VMs, the peak of pinned memory is the largest sum at one moment."
    if vms > vm_tables:
        yield (
            f"Tables are shown for the first {vm_tables} of {vms} VMs; "
            "results.parquet and report.json hold all."
        )
