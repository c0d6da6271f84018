"""What a host's recording says of its VMs, summed up: the value that `spetrace kvm` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.tables.quality import QUALITY

Series = Sequence[int] | npt.NDArray[np.int64]
"""Many numbers."""


@dataclass(frozen=True)
class Times:
    """Some lengths of time: how many, their sum, percentiles (of n sorted, the q n-th) and maximum."""

    count: int = 0
    total_ns: int = 0
    p50_ns: int | None = None
    p90_ns: int | None = None
    p99_ns: int | None = None
    max_ns: int | None = None


@dataclass(frozen=True)
class ExitClass:
    """Exits of one class: the kernel's name of ESR_EL2.EC, or of what else ended guest mode."""

    name: str
    exits: int
    handled: Times
    """From kvm_exit to the next kvm_entry, of those exits that have one."""


@dataclass(frozen=True)
class VcpuTime:
    """Where one vCPU's time went, between its first exit and its last."""

    vcpu: int | None
    exits: int
    unpaired: int
    """Exits without an entry after them, the last one apart: events were lost."""
    guest_ns: int
    """From kvm_entry to the next kvm_exit."""
    host_ns: int
    """From kvm_exit to the next kvm_entry."""
    unknown_ns: int
    """After unpaired exits."""


@dataclass(frozen=True)
class FaultClass:
    """Stage-2 faults that are alike."""

    outcome: str
    """`served`, `emulated` (MMIO) or `taken again`."""
    kind: str
    """As in table stage2_faults, with its level."""
    access: str
    """`read`, `write`, `fetch`, `stage-1 walk` or `cache maintenance`."""
    faults: int
    handled: Times


@dataclass(frozen=True)
class FaultRate:
    """Faults over time: bins of one length."""

    start_ns: int
    bin_ns: int
    faults: tuple[int, ...]
    """Per bin, those that are no emulated access."""
    emulated: tuple[int, ...]
    per_second: float
    """Of `faults`, on average over the span."""


@dataclass(frozen=True)
class RefaultClass:
    """Faults on pages that had been unmapped, by access."""

    access: str
    refaults: int
    between: Times
    """From the unmap to the fault."""


@dataclass(frozen=True)
class RefaultedPage:
    """One page of those that were faulted in again most often."""

    ipa: int
    refaults: int
    between_p50_ns: int


@dataclass(frozen=True)
class Refaults:
    """What reclaim and migration cost a VM: pages that it had to fault in again."""

    total: int
    pages: int
    """Distinct ones."""
    mapped_before: int
    """Of pages that were mapped before the recording began, as is assumed."""
    classes: tuple[RefaultClass, ...]
    bounds_ns: tuple[int, ...]
    """Upper bounds of the histogram's bins; the last bin has none."""
    histogram: tuple[int, ...]
    """Refaults by time between unmap and fault; one more than `bounds_ns`."""
    top_pages: tuple[RefaultedPage, ...]


@dataclass(frozen=True)
class StateSummary:
    """Mapped pages over time."""

    stage2_from: str
    start_pages: int
    peak_pages: int
    peak_ns: int
    end_pages: int
    mean_pages: float
    mean_writable_pages: float
    times_ns: Series
    mapped_pages: Series
    writable_pages: Series
    """From each time on; the whole of table vm_state."""


@dataclass(frozen=True)
class RegisterUse:
    """What one vCPU did with one of SPE's registers."""

    vcpu: int | None
    reg: str
    reads: int
    writes: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class VmSummary:
    """One VM."""

    vm: int
    exits: tuple[ExitClass, ...]
    vcpus: tuple[VcpuTime, ...]
    faults: tuple[FaultClass, ...]
    fault_rate: FaultRate | None
    refaults: Refaults | None
    state: StateSummary | None
    registers: tuple[RegisterUse, ...]


@dataclass(frozen=True)
class InferenceWay:
    """One VM's stage 2 as told in one way, beside the probes'."""

    name: str
    """`probes`, `tracepoints`, or `infer-read-only`: tracepoints with that choice."""
    state: StateSummary
    mapped_difference_mean: float
    """Pages by which the mapped pages differ from the probes', on average over time."""
    mapped_difference_max: int
    writable_difference_mean: float
    writable_difference_max: int
    refaults: int
    counters: dict[str, dict[str, int]]
    """Per strategy what a replay on it counts."""


@dataclass(frozen=True)
class InferenceCheck:
    """How the stage 2 that tracepoints tell compares with that of probes."""

    vm: int
    ways: tuple[InferenceWay, ...]


@dataclass
class KvmSummary:
    """All VMs of a session, and what the summary rests on."""

    session: dict[str, Any]
    """Its inputs, clocks, machines, assumptions and versions, as in session.json."""
    quality: pa.Table = field(default_factory=QUALITY.empty)
    vms: tuple[VmSummary, ...] = ()
    span_ns: tuple[int, int] | None = None
    inference: tuple[InferenceCheck, ...] = ()
