"""What a guest did with SPE's registers, where KVM traps it (trace_kvm_sys_access)."""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

SPE_REGISTER_ACCESSES = Table(
    "spe_register_accesses",
    "1.0",
    "One row per trapped access to an SPE system register, in order of time.",
    (
        SOURCE,
        Column("vm", pa.uint16(), "VM"),
        Column("vcpu", pa.uint16(), "vCPU within the VM"),
        Column("time_ns", pa.int64(), "time of the trap", "ns", False),
        Column("pc", pa.uint64(), "guest PC; null where only kvm_handle_sys_reg was recorded"),
        Column("reg", NAME, "the register", nullable=False),
        Column("is_write", pa.bool_(), "a write, not a read", nullable=False),
        Column("value", pa.uint64(), "the value written; null: KVM's tracepoints do not tell it"),
    ),
)
