"""A VM's memory as its host handled it: what stage 2 maps over time, and what faults come again."""

import pyarrow as pa

from spetrace.tables.events import CAUSES
from spetrace.tables.table import NAME, SOURCE, Column, Table

STAGE2_FROM = ("probes", "tracepoints")
_STAGE2_FROM = Column(
    "stage2_from", NAME, f"what stage 2 is told from: {' or '.join(STAGE2_FROM)}", nullable=False
)
_VM = Column("vm", pa.uint16(), "VM", nullable=False)

VM_STATE = Table(
    "vm_state",
    "1.0",
    "One row per change of how many pages a VM's stage 2 maps: a step function.",
    (
        SOURCE,
        _VM,
        Column("time_ns", pa.int64(), "from when on", "ns", False),
        Column("mapped_pages", pa.uint64(), "pages that stage 2 maps", "pages", False),
        Column("writable_pages", pa.uint64(), "those of them that are writable", "pages", False),
        _STAGE2_FROM,
    ),
)

REFAULTS = Table(
    "refaults",
    "1.0",
    "One row per vCPU that faulted on a page which was mapped before and unmapped since.",
    (
        SOURCE,
        _VM,
        Column("vcpu", pa.uint16(), "vCPU within the VM", nullable=False),
        Column("ipa", pa.uint64(), "the page's first address", nullable=False),
        Column("mapped_ns", pa.int64(), "when it was mapped; null: before the recording", "ns"),
        Column("unmapped_ns", pa.int64(), "when it was unmapped", "ns", False),
        Column("fault_ns", pa.int64(), "when the vCPU first faulted on it again", "ns", False),
        Column("between_ns", pa.int64(), "fault_ns - unmapped_ns", "ns", False),
        Column("cause", NAME, f"of the unmap: one of {', '.join(CAUSES)}", nullable=False),
        Column("is_write", pa.bool_(), "a write fault, by the kernel's rule", nullable=False),
        Column("is_fetch", pa.bool_(), "an instruction abort", nullable=False),
        Column("guest_fault", pa.uint64(), "row in stage2_faults", nullable=False),
        _STAGE2_FROM,
    ),
)
