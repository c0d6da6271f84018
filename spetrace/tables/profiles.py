"""What a profile counts: instructions, functions, data pages, latencies, events, CPUs and rates.

Counts are of sample records. A profile holds the most frequent instructions, functions and pages;
the other tables are whole.
"""

import pyarrow as pa

from spetrace.tables.table import NAME, SOURCE, Column, Table

LATENCY_COUNTERS = ("total", "issue", "translation")
LATENCY_GROUPS = ("operation", "data_source", "tlb")


def _count(name: str, doc: str) -> Column:
    return Column(name, pa.uint64(), doc, "records", nullable=False)


PLACE_COUNTS = (
    _count("samples", "records"),
    _count("loads", "those of them that are loads"),
    _count("stores", "those of them that are stores"),
    _count("branches", "those of them that are branches"),
    _count("mispredicted", "branches that were mispredicted"),
    _count("not_taken", "conditional branches that were not taken"),
    _count("l1d_refills", "records that refilled the level 1 data cache"),
    _count("llc_refills", "records that missed in the last level cache"),
    _count("tlb_walks", "records that took a translation table walk"),
    _count("latency_samples", "records with a total latency"),
    Column("latency_cycles", pa.uint64(), "sum of their total latencies", "cycles", False),
)
"""The counts of an instruction or a function."""

PROFILE_PCS = Table(
    "profile_pcs",
    "1.0",
    "One row per sampled instruction: the most frequent ones, and those most mispredicted.",
    (
        Column("pc", pa.uint64(), "virtual address; null where processes have it at several"),
        Column("pid", pa.int32(), "process; null for the kernel, for several, or where unknown"),
        Column("file", pa.string(), "path of the file, or a name in brackets; null where unknown"),
        Column("file_offset", pa.uint64(), "place in the file; null where not mapped", "bytes"),
        Column("symbol", pa.string(), "function; null where unknown"),
        Column("symbol_offset", pa.uint64(), "place in the function", "bytes"),
        *PLACE_COUNTS,
    ),
)

PROFILE_FUNCTIONS = Table(
    "profile_functions",
    "1.0",
    "One row per sampled function, or per file for what is in no known function.",
    (
        Column("symbol", pa.string(), "function; null where unknown"),
        Column("file", pa.string(), "path of the file, or a name in brackets; null where unknown"),
        *PLACE_COUNTS,
    ),
)

PROFILE_PAGES = Table(
    "profile_pages",
    "1.0",
    "One row per page of 4 KiB that sampled loads and stores accessed: the most frequent ones.",
    (
        Column("address", pa.uint64(), "first address of the page", nullable=False),
        Column("physical", pa.bool_(), "whether address is physical", nullable=False),
        Column("pid", pa.int32(), "process; null for the kernel, physical pages, or where unknown"),
        Column("mapping", pa.string(), "file or name in brackets, where a mapping tells it"),
        _count("samples", "records"),
        _count("loads", "those of them that are loads"),
        _count("stores", "those of them that are stores"),
        _count("tlb_walks", "those of them that took a translation table walk"),
        _count("l1d_refills", "those of them that refilled the level 1 data cache"),
        _count("latency_samples", "records with a total latency"),
        Column("latency_p50_cycles", pa.uint16(), "median of their total latencies", "cycles"),
        Column("latency_p90_cycles", pa.uint16(), "their 90th percentile", "cycles"),
        Column("latency_p99_cycles", pa.uint16(), "their 99th percentile", "cycles"),
        Column(
            "data_sources",
            pa.list_(pa.struct([("data_source", pa.string()), ("samples", pa.uint64())])),
            "records by data source, the most frequent first; null: not recorded",
            nullable=False,
        ),
    ),
)

PROFILE_LATENCIES = Table(
    "profile_latencies",
    "1.0",
    "One row per latency counter and operation, and per data source or TLB outcome of it.",
    (
        Column("group", NAME, f"what rows are told apart by: {', '.join(LATENCY_GROUPS)}",
               nullable=False),
        Column("counter", NAME, f"one of {', '.join(LATENCY_COUNTERS)}", nullable=False),
        Column("operation", NAME, "load, store, branch or other; null: not recorded"),
        Column("data_source", pa.string(),
               "group data_source: name or hexadecimal value; null: not recorded"),
        Column("tlb_walk", pa.bool_(), "group tlb: whether the access took a walk"),
        _count("samples", "records with this counter"),
        Column("mean_cycles", pa.float64(), "their mean", "cycles", False),
        Column("p50_cycles", pa.uint16(), "their median: half are not above it", "cycles", False),
        Column("p90_cycles", pa.uint16(), "their 90th percentile", "cycles", False),
        Column("p99_cycles", pa.uint16(), "their 99th percentile", "cycles", False),
        Column("max_cycles", pa.uint16(), "the largest", "cycles", False),
    ),
)  # fmt: skip

PROFILE_EVENTS = Table(
    "profile_events",
    "1.0",
    "One row per operation and event that its records have.",
    (
        Column("operation", NAME, "load, store, branch or other; null: not recorded"),
        Column("event", NAME, "name; IMPDEF:bit where the CPU's is not known", nullable=False),
        _count("samples", "records of the operation with the event"),
        _count("operation_samples", "records of the operation with an events packet"),
    ),
)

PROFILE_CPUS = Table(
    "profile_cpus",
    "1.0",
    "One row per AUX stream: what was sampled, and what could not be.",
    (
        SOURCE,
        Column("cpu", pa.int32(), "CPU as perf numbers it; null in per-thread recordings"),
        Column("tid", pa.int32(), "thread of the AUX stream; null in per-CPU recordings"),
        _count("samples", "records"),
        Column("first_ns", pa.int64(), "time of the first record that has one", "ns"),
        Column("last_ns", pa.int64(), "time of the last one", "ns"),
        Column("gaps", pa.uint64(), "spans in which nothing could be recorded", nullable=False),
        Column("gap_ns", pa.int64(), "their length, of those that have an end", "ns", False),
        Column("records_lost_estimate", pa.uint64(), "records lost in them; null: no estimate",
               "records"),
    ),
)  # fmt: skip

PROFILE_RATES = Table(
    "profile_rates",
    "1.0",
    "One row per AUX stream and bin of time that has records: the samples in it.",
    (
        SOURCE,
        Column("cpu", pa.int32(), "CPU as perf numbers it; null in per-thread recordings"),
        Column("tid", pa.int32(), "thread of the AUX stream; null in per-CPU recordings"),
        Column("start_ns", pa.int64(), "where the bin begins", "ns", False),
        Column("end_ns", pa.int64(), "where it ends", "ns", False),
        _count("samples", "records in it"),
    ),
)

PROFILE_TABLES = (
    PROFILE_FUNCTIONS, PROFILE_PCS, PROFILE_PAGES, PROFILE_LATENCIES, PROFILE_EVENTS, PROFILE_CPUS,
    PROFILE_RATES,
)  # fmt: skip
"""The tables of a profile."""
