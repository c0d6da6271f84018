"""The event log that the replay reads: one row per event, in time order."""

import pyarrow as pa

from spetrace.tables.table import NAME, Column, Table

KINDS = (
    "sysreg_write", "eret", "exception", "spe_record", "buffer_full", "stage1_map", "stage1_unmap",
    "stage2_map", "stage2_wrprotect", "stage2_unmap",
)  # fmt: skip
REGISTERS = ("PMBPTR_EL1", "PMBLIMITR_EL1", "PMSCR_EL1", "PMBSR_EL1")
CAUSES = ("swap", "migrate", "ksm", "numa", "compact", "munmap", "memslot", "unknown")

EVENTS = Table(
    "events",
    "1.0",
    "The event log: what the guest, its SPU and the host did, sorted by ts.",
    (
        Column("ts", pa.int64(), "time on the session's clock", "ns", False),
        Column("vm", pa.uint16(), "VM", nullable=False),
        Column("vcpu", pa.uint16(), "vCPU within the VM", nullable=False),
        Column("kind", NAME, f"one of {', '.join(KINDS)}", nullable=False),
        Column("reg", NAME, f"sysreg_write: one of {', '.join(REGISTERS)}"),
        Column("value", pa.uint64(), "sysreg_write: the value written"),
        Column("to_el", pa.uint8(), "eret: target exception level, 0 or 1"),
        Column("bytes", pa.uint32(), "spe_record: size of the sample record", "bytes"),
        Column("va", pa.uint64(), "stage1_map, stage1_unmap: first guest virtual address"),
        Column("ipa", pa.uint64(), "stage1_map, stage2_*: first intermediate physical address"),
        Column("pages", pa.uint64(), "stage1_*, stage2_*: number of pages", "pages"),
        Column("tables", pa.list_(pa.uint64()), "stage1_map: translation-table pages of the walk"),
        Column("writable", pa.bool_(), "stage2_map: mapped with write permission"),
        Column("cause", NAME, f"stage2_unmap: one of {', '.join(CAUSES)}"),
        Column("row", pa.uint64(), "row of the table that the event was made from"),
    ),
)
