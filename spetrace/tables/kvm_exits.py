"""One row per exit from a guest, with the entry that follows (trace_kvm_exit, trace_kvm_entry)."""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

KVM_EXITS = Table(
    "kvm_exits",
    "1.0",
    "One row per kvm_exit with the kvm_entry that follows on the same vCPU thread.",
    (
        SOURCE,
        Column("vm", pa.uint16(), "VM"),
        Column("vcpu", pa.uint16(), "vCPU within the VM"),
        Column("exit_ns", pa.int64(), "time of kvm_exit", "ns", False),
        Column("entry_ns", pa.int64(), "time of the next kvm_entry; null for the last exit", "ns"),
        Column("handled_ns", pa.int64(), "entry_ns - exit_ns", "ns"),
        Column("ret", pa.int32(), "exit code: 0 IRQ, 1 SERROR, 2 TRAP"),
        Column("exit_class", pa.uint8(), "ESR_EL2.EC"),
        Column("exit_class_name", NAME, "the kernel's name of the class"),
        Column("pc", pa.uint64(), "guest PC at the exit"),
        Column("guest_fault", pa.uint64(), "row in stage2_faults; null if none"),
    ),
)
