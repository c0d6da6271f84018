"""The counters of a replay: one row per strategy and VM."""

import pyarrow as pa

from spetrace.tables.table import NAME, Column, Table

COUNTERS: dict[str, tuple[str, str | None]] = {
    "stage2_faults": ("stage-2 faults of the SPU's buffer writes", None),
    "stage2_faults_on_walk": ("those of them on a stage-1 table page", None),
    "stage1_faults": ("buffer writes or walks that the guest's stage 1 does not map", None),
    "stage1_walks": ("pages walked in software through the guest's stage 1", "pages"),
    "stage1_walk_failures": ("those of them that found no mapping", "pages"),
    "aborts_injected": ("external aborts reported to the guest", None),
    "blackouts": ("blackout windows", None),
    "blackout_ns": ("time in blackout windows", "ns"),
    "stopped_ns": ("time stopped by an injected abort", "ns"),
    "overhead_ns": ("time charged by the cost model", "ns"),
    "setup_ns": ("time charged before the VM runs", "ns"),
    "sysreg_traps": ("trapped writes of SPE registers", None),
    "eret_traps": ("trapped ERETs", None),
    "eret_traps_useless": ("those of them that led to nothing", None),
    "pins": ("pages pinned", "pages"),
    "unpins": ("pages released", "pages"),
    "pinned_bytes_peak": ("most memory pinned after any event", "bytes"),
    "pinned_bytes_end": ("memory pinned at the end", "bytes"),
    "pinned_byte_ns": ("integral of pinned memory over time", "byte ns"),
    "memlock_failures": ("pins refused by RLIMIT_MEMLOCK", None),
    "oversize_buffers": ("buffers larger than KVM lets a guest pin", None),
    "unmaps_refused": ("unmaps of pinned pages that the pin outlived", "pages"),
    "forced_unpins": ("unmaps of pinned pages that ended the pin", "pages"),
    "pins_write_protected": ("pinned pages that the host write-protected", "pages"),
    "bytes_copied": ("bytes copied from the host's buffer to the guest's", "bytes"),
    "records": ("sample records the SPU had to write", "records"),
    "captured": ("records that reach the guest", "records"),
    "discarded": ("records written, then lost with their buffer", "records"),
    "lost_fault": ("records lost to a fault of their own write", "records"),
    "lost_blackout": ("records lost in a blackout window", "records"),
    "lost_stopped": ("records lost while stopped by an abort or stage-1 fault", "records"),
    "lost_full": ("records lost to a full buffer", "records"),
    "not_profiled": ("records that came while profiling was off", "records"),
}
"""Counter name to (doc, unit), in the order of the replay's semantics."""

OUTCOMES = (
    "captured", "discarded", "lost_fault", "lost_blackout", "lost_stopped", "lost_full",
    "not_profiled",
)  # fmt: skip

# pinned_byte_ns of a long session passes 2**63: decimal holds every integer exactly.
_WIDE = pa.decimal128(38, 0)

RESULTS = Table(
    "results",
    "1.0",
    "One row per strategy and VM, and one with vm null for the total.",
    (
        Column("strategy", NAME, "strategy", nullable=False),
        Column("vm", pa.uint16(), "VM; null: the total"),
        *(
            Column(name, _WIDE if name == "pinned_byte_ns" else pa.int64(), doc, unit, False)
            for name, (doc, unit) in COUNTERS.items()
        ),
    ),
)

BLACKOUTS = Table(
    "blackouts",
    "1.0",
    "One row per blackout window.",
    (
        Column("strategy", NAME, "strategy", nullable=False),
        Column("vm", pa.uint16(), "VM", nullable=False),
        Column("vcpu", pa.uint16(), "vCPU within the VM", nullable=False),
        Column("start_ns", pa.int64(), "time of the fault", "ns", False),
        Column("end_ns", pa.int64(), "when the SPU can write again", "ns", False),
        Column("cause", NAME, "fault or drain", nullable=False),
        Column("va", pa.uint64(), "where the SPU was to write"),
        Column("ipa", pa.uint64(), "the IPA that was not mapped; null for a drain"),
        Column("records_lost", pa.uint64(), "records lost: the faulting one and those in the window",
               "records", False),
    ),
)  # fmt: skip

ABORTS = Table(
    "aborts",
    "1.0",
    "One row per external abort reported to a guest.",
    (
        Column("strategy", NAME, "strategy", nullable=False),
        Column("vm", pa.uint16(), "VM", nullable=False),
        Column("vcpu", pa.uint16(), "vCPU within the VM", nullable=False),
        Column("ts", pa.int64(), "time", "ns", False),
        Column("va", pa.uint64(), "where the SPU was to write"),
        Column("ipa", pa.uint64(), "the IPA that was not mapped, where one was"),
        Column("reason", pa.string(), "why the strategy gave up", nullable=False),
        Column("records_discarded", pa.uint64(), "records of the buffer lost with it", "records", False),
        Column("stopped_until_ns", pa.int64(), "when the guest cleared it; null: never", "ns"),
    ),
)  # fmt: skip

PINNED = Table(
    "pinned",
    "1.0",
    "Pinned memory as a step function: one row per change.",
    (
        Column("strategy", NAME, "strategy", nullable=False),
        Column("vm", pa.uint16(), "VM", nullable=False),
        Column("ts", pa.int64(), "time", "ns", False),
        Column("pinned_bytes", pa.int64(), "from then on", "bytes", False),
    ),
)

OUTCOME = Table(
    "outcomes",
    "1.0",
    "What became of each sample record under each strategy.",
    (
        Column("strategy", NAME, "strategy", nullable=False),
        Column("row", pa.uint64(), "row of spe_records (or of the event log that was replayed)"),
        Column("outcome", NAME, f"one of {', '.join(OUTCOMES)}", nullable=False),
    ),
)
