"""Runs made of numbers: what an engine would return, with the session that it would name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spetrace.tables.quality import QUALITY
from spetrace.tables.results import ABORTS, BLACKOUTS, COUNTERS, OUTCOME, PINNED, RESULTS
from spetrace.tables.run import Run

ABOUT = {
    "bare-metal": {"bound": "upper", "doc": "no stage 2 at all", "origin": ""},
    "inject-abort": {"bound": "lower", "doc": "report each fault to the guest", "origin": ""},
    "pin-vm": {
        "doc": "pin all of the VM's memory before it runs",
        "origin": "KVM SPE series v1 to v5 (locked memslots)",
        "requires": "RLIMIT_MEMLOCK of the whole VM",
    },
    "map-on-fault": {
        "doc": "map the faulting page when the SPU reports it",
        "origin": "mailing-list thread of April 2022, option 2",
    },
    "trap-eret": {
        "doc": "pin the buffer at the first ERET to EL0",
        "origin": "mailing-list thread of April 2022",
        "requires": ["FEAT_FGT"],
    },
}


def counters(**values: int) -> dict[str, int]:
    """All counters, 0 but for those given; records are the sum of their outcomes."""
    filled = dict.fromkeys(COUNTERS, 0) | values
    outcomes = ("captured", "discarded", "lost_fault", "lost_blackout", "lost_stopped", "lost_full")
    return filled | {"records": sum(filled[name] for name in (*outcomes, "not_profiled"))}


def run_of(strategies: Mapping[str, Mapping[str, Any]], **session: Any) -> Run:
    """A run with the results {strategy: {"vms": {ID: counters}, "total": counters}}."""
    rows = []
    for name, result in strategies.items():
        vms = [(int(vm), values) for vm, values in result["vms"].items()]
        rows += [_row(name, vm, values) for vm, values in [*vms, (None, result["total"])]]
    return Run(
        results=RESULTS.from_rows(rows),
        session=_session(list(strategies)) | session,
    )


def small_run(**session: Any) -> Run:
    """Four strategies of one VM: the bounds, one that keeps all and one that does not."""
    big = 2**70 + 1
    results = {
        "bare-metal": counters(captured=300_000),
        "inject-abort": counters(
            captured=299, lost_fault=1, lost_stopped=299_700, stage2_faults=1, aborts_injected=1,
            stopped_ns=149_540, overhead_ns=1000,
        ),
        "pin-vm": counters(
            captured=300_000, pins=262_144, setup_ns=183_500_800, pinned_bytes_peak=1 << 30,
            pinned_bytes_end=1 << 30, pinned_byte_ns=big,
        ),
        "map-on-fault": counters(
            captured=299_980, lost_fault=3, lost_blackout=17, stage2_faults=3, stage1_walks=3,
            blackouts=3, blackout_ns=3000, overhead_ns=5100,
        ),
    }  # fmt: skip
    return run_of({n: {"vms": {"0": r}, "total": r} for n, r in results.items()}, **session)


def full_run() -> Run:
    """`small_run` with rows in every table, and outcomes."""
    run = small_run()
    run.blackouts = BLACKOUTS.from_rows(
        [("map-on-fault", 0, 1, 10, 1010, "fault", 2**64 - 4096, 0x8000_0000, 7)]
    )
    run.aborts = ABORTS.from_rows(
        [("inject-abort", 0, 0, 10, 2**64 - 4096, None, "stage-2 fault", 0, None)]
    )
    run.pinned = PINNED.from_rows([("pin-vm", 0, 0, 1 << 30)])
    run.outcomes = OUTCOME.from_rows([("map-on-fault", 5, "lost_fault")])
    run.quality = QUALITY.from_rows(
        [
            (
                None,
                "unknown_pgt_events",
                "warning",
                2,
                "start recording before the VM starts",
                None,
            ),
            (0, "aux_truncated", "data_loss", 12, "record with a larger AUX area", None),
        ]
    )
    return run


def _row(name: str, vm: int | None, values: Mapping[str, int]) -> tuple[Any, ...]:
    return (name, vm, *(values[counter] for counter in COUNTERS))


def _session(strategies: list[str]) -> dict[str, Any]:
    about = {"bound": None, "doc": "", "origin": "", "requires": []}
    return {
        "version": 1,
        "command": "spetrace replay n1.perf.data --strategy all",
        "inputs": [
            {
                "name": "n1.perf.data",
                "format": "perf.data",
                "size_bytes": 210_944,
                "sha256": "ab" * 32,
            }
        ],
        "parameters": {
            "memory_bytes": 1 << 30,
            "memlock_bytes": None,
            "pin_refuses": "swap,migrate",
            "costs": {"irq_ns": 1000, "vm_exit_ns": 1000},
            "vms": {},
        },
        "assumptions": [
            {"name": "aux_bytes", "value": "4194304", "text": "perf's default AUX area for root"}
        ],
        "excluded": {"trap-eret": "needs FEAT_FGT"},
        "strategies": {name: about | ABOUT.get(name, {}) for name in strategies},
        "span_ns": [1_000, 45_200_001_000],
        "versions": {"spetrace": "0.1.0"},
    }
