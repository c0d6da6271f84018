"""One row per stage-2 fault that a vCPU took (trace_kvm_guest_fault, arch/arm64/kvm/mmu.c)."""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

STAGE2_FAULTS = Table(
    "stage2_faults",
    "1.1",
    "One row per kvm_guest_fault, its ESR_EL2 decoded.",
    (
        SOURCE,
        Column("vm", pa.uint16(), "VM"),
        Column("vcpu", pa.uint16(), "vCPU within the VM"),
        Column("time_ns", pa.int64(), "time of kvm_guest_fault", "ns", False),
        Column("pc", pa.uint64(), "guest PC"),
        Column("esr", pa.uint64(), "ESR_EL2 (the tracepoint's hsr)"),
        Column("va", pa.uint64(), "FAR_EL2"),
        Column("ipa", pa.uint64(), "faulting IPA, page granular"),
        Column("fault_status", pa.uint8(), "DFSC or IFSC, ESR_EL2 bits 5:0"),
        Column("kind", NAME, "translation, permission, access or other"),
        Column("level", pa.int8(), "lookup level of the fault"),
        Column("is_write", pa.bool_(), "a write fault, by the kernel's rule"),
        Column("on_stage1_walk", pa.bool_(), "S1PTW"),
        Column("is_fetch", pa.bool_(), "an instruction abort"),
        Column("mmio", pa.bool_(), "a kvm_mmio or a failed mapping follows"),
        Column("handled_ns", pa.int64(), "kvm_exit to the next kvm_entry", "ns"),
        Column("is_cache_maintenance", pa.bool_(), "CM"),
        Column("is_emulated", pa.bool_(), "a kvm_mmio follows: of mmio those that are no memory"),
    ),
)
