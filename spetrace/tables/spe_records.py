"""One row per Arm SPE sample record (Arm ARM, D17 "The Statistical Profiling Extension")."""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

OTHER_COUNTER = pa.struct([("index", pa.uint8()), ("value", pa.uint16())])


def _address(name: str, doc: str) -> tuple[Column, ...]:
    return (
        Column(name, pa.uint64(), f"{doc}, sign-extended from bit 55"),
        Column(f"{name}_exception_level", pa.uint8(), f"exception level of {name}"),
        Column(f"{name}_ns", pa.bool_(), f"non-secure bit of {name}"),
    )


SPE_RECORDS = Table(
    "spe_records",
    "1.0",
    "One row per SPE sample record.",
    (
        SOURCE,
        Column("cpu", pa.int32(), "CPU as perf numbers it; null in per-thread recordings"),
        Column("tid", pa.int32(), "thread of the AUX stream; null in per-CPU recordings"),
        Column(
            "aux_offset",
            pa.uint64(),
            "where the record starts in its AUX stream: where the one before ended, so padding "
            "counts with the record after it",
            "bytes",
            nullable=False,
        ),
        Column(
            "size_bytes", pa.uint32(), "up to and with its timestamp or end packet", "bytes", False
        ),
        Column("timestamp_ticks", pa.uint64(), "timestamp packet (generic timer)", "ticks"),
        Column("time_ns", pa.int64(), "timestamp_ticks converted by TIME_CONV", "ns"),
        *_address("pc", "address packet 0, the instruction's virtual address"),
        *_address("branch_target", "address packet 1"),
        *_address("previous_branch_target", "address packet 4"),
        Column(
            "va", pa.uint64(), "address packet 2, data virtual address, sign-extended from bit 55"
        ),
        Column("va_tag", pa.uint8(), "top byte of the data virtual address as recorded"),
        Column("pa", pa.uint64(), "address packet 3, data physical address, bits 55:0"),
        Column("pa_ns", pa.bool_(), "non-secure bit of pa"),
        Column("pa_checked", pa.bool_(), "CH: the access was checked against the allocation tag"),
        Column("pa_tag", pa.uint8(), "PAT: physical address tag"),
        Column("operation_class", pa.uint8(), "operation type packet: low two bits of its header"),
        Column("operation_payload", pa.uint8(), "operation type packet: payload byte"),
        Column("operation", NAME, "load, store, branch or other"),
        Column("events", pa.uint64(), "events packet, bit set as recorded"),
        Column("total_latency_cycles", pa.uint16(), "counter 0", "cycles"),
        Column("issue_latency_cycles", pa.uint16(), "counter 1", "cycles"),
        Column("translation_latency_cycles", pa.uint16(), "counter 2", "cycles"),
        Column("other_counters", pa.list_(OTHER_COUNTER), "counters 3 and up"),
        Column("data_source", pa.uint16(), "as recorded; its meaning depends on the CPU's MIDR"),
        Column("context_el1", pa.uint32(), "CONTEXTIDR_EL1"),
        Column("context_el2", pa.uint32(), "CONTEXTIDR_EL2"),
    ),
)
