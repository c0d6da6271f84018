"""The counters of one VM under one strategy, and the detail rows beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from spetrace.tables.results import COUNTERS


@dataclass(slots=True)
class Counters:
    """All counters of a replay; their meaning is in tables/results.py."""

    stage2_faults: int = 0
    stage2_faults_on_walk: int = 0
    stage1_faults: int = 0
    stage1_walks: int = 0
    stage1_walk_failures: int = 0
    aborts_injected: int = 0
    blackouts: int = 0
    blackout_ns: int = 0
    stopped_ns: int = 0
    overhead_ns: int = 0
    setup_ns: int = 0
    sysreg_traps: int = 0
    eret_traps: int = 0
    eret_traps_useless: int = 0
    pins: int = 0
    unpins: int = 0
    pinned_bytes_peak: int = 0
    pinned_bytes_end: int = 0
    pinned_byte_ns: int = 0
    memlock_failures: int = 0
    oversize_buffers: int = 0
    unmaps_refused: int = 0
    forced_unpins: int = 0
    pins_write_protected: int = 0
    bytes_copied: int = 0
    records: int = 0
    captured: int = 0
    discarded: int = 0
    lost_fault: int = 0
    lost_blackout: int = 0
    lost_stopped: int = 0
    lost_full: int = 0
    not_profiled: int = 0

    def add(self, other: Counters) -> None:
        """Add `other`, counter by counter."""
        for name in COUNTERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self) -> list[int]:
        """The values in the order of the results table."""
        return [getattr(self, name) for name in COUNTERS]


@dataclass(slots=True)
class BlackoutRow:
    """One blackout window."""

    vm: int
    vcpu: int
    start_ns: int
    end_ns: int
    cause: str
    va: int
    ipa: int | None
    records_lost: int = 1


@dataclass(slots=True)
class AbortRow:
    """One external abort reported to the guest."""

    vm: int
    vcpu: int
    ts: int
    va: int | None
    ipa: int | None
    reason: str
    records_discarded: int = 0
    stopped_until_ns: int | None = None


@dataclass
class Details:
    """The detail rows of one strategy."""

    blackouts: list[BlackoutRow] = field(default_factory=list)
    aborts: list[AbortRow] = field(default_factory=list)
    pinned: list[tuple[int, int, int]] = field(default_factory=list)
    """(vm, ts, pinned bytes from then on)."""
