from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from profile_samples import (
    BRANCH,
    L1D_ACCESS,
    L1D_REFILL,
    MISPRED,
    NOT_TAKEN,
    OTHER,
    RETIRED,
    STORE,
    TLB_ACCESS,
    TLB_WALK,
    elf_file,
    frame,
    mapping,
    record,
    samples,
)

from spetrace.profile.compute import Naming, build_profile
from spetrace.profile.kallsyms import parse_kallsyms
from spetrace.profile.samples import COLUMNS, Samples
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.tables.profile import Profile
from spetrace.tables.profiles import PROFILE_TABLES
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.workflow.profile_inputs import open_profile

NOWHERE = Naming(SymbolFiles(Path("/nowhere")))
KERNEL = 0xFFFF800080000000


def build(of: Samples, naming: Naming = NOWHERE, gaps: Any = (), **options: Any) -> Profile:
    return build_profile(of, naming, frame(RECORDING_GAPS, gaps), **options)


def rows(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.select(names).to_pylist()]


def test_instructions_of_a_file_are_one_wherever_it_lies() -> None:
    records = [
        record(pc=0x400100),
        record(pc=0x400100, total_latency_cycles=None),
        record(pc=0x7F0100, context_el1=20),
        record(pc=0x400108),
        record(pc=0x10, context_el1=20),
        record(pc=0x10, context_el1=77),
        record(pc=None),
    ]
    mappings = [
        mapping(0x400000, 0x1000, "/bin/a"),
        mapping(0x7F0000, 0x1000, "/bin/a", pid=20, tid=20),
    ]
    found = build(samples(records, mappings))
    assert rows(found.pcs, "pc", "pid", "file", "file_offset", "samples", "latency_samples") == [
        (None, None, "/bin/a", 0x100, 3, 2),
        (None, 10, None, None, 1, 1),
        (0x10, None, None, None, 1, 1),
        (0x10, 20, None, None, 1, 1),
        (0x400108, 10, "/bin/a", 0x108, 1, 1),
    ]
    assert rows(found.functions, "symbol", "file", "samples") == [
        (None, "/bin/a", 4), (None, None, 3),
    ]  # fmt: skip
    assert (found.samples, found.distinct_pcs, found.distinct_functions) == (7, 5, 2)


def test_functions_are_named_by_files_and_kallsyms(tmp_path: Path) -> None:
    (tmp_path / "prog").write_bytes(elf_file([("main", 0x401100, 0x40)]))
    kallsyms = parse_kallsyms(b"ffff800080000000 T _text\nffff800080000100 T schedule\n")
    moved = KERNEL + 0x200000
    mappings = [
        mapping(0x400000, 0x2000, "/prog", file_offset=0x1000),
        mapping(moved, 1 << 24, "[kernel.kallsyms]_text", pid=None, tid=None, file_offset=moved),
    ]
    records = [
        *[record(pc=0x400108)] * 3,
        *[record(pc=moved + 0x110, pc_exception_level=1)] * 2,
        record(pc=0x400200),
    ]
    found = build(samples(records, mappings), Naming(SymbolFiles(tmp_path), kallsyms))
    assert rows(found.pcs, "symbol", "symbol_offset", "file", "file_offset", "pid") == [
        ("main", 8, "/prog", 0x1108, 10),
        ("schedule", 0x10, "[kernel.kallsyms]", 0x200110 - 0x200000, None),
        (None, None, "/prog", 0x1200, 10),
    ]
    notes = {(a.name, a.value) for a in found.assumptions}
    assert notes == {("kallsyms", "+0x200000"), ("symbols", "/prog")}


def test_samples_of_unknown_processes_are_placed_where_all_agree() -> None:
    mappings = [mapping(0x400000, 0x1000, "/bin/a")]
    records = [record(pc=0x400100, context_el1=None), record(pc=0x400100)]
    found = build(samples(records, mappings))
    assert rows(found.pcs, "file", "samples") == [("/bin/a", 2)]
    assert [(a.name, a.value) for a in found.assumptions if a.name == "processes"] == [
        ("processes", "1 samples")
    ]


def test_latencies_are_exact_percentiles() -> None:
    memory = RETIRED | L1D_ACCESS | TLB_ACCESS
    loads = [
        record(total_latency_cycles=n, issue_latency_cycles=None, data_source=0, events=memory)
        for n in range(1, 101)
    ]
    walk = record(total_latency_cycles=65535, data_source=0xE, events=memory | TLB_WALK)
    odd = record(STORE, total_latency_cycles=None, data_source=0x7)
    found = build(samples([*loads, walk, odd, record(None)]))
    table = {
        (row["group"], row["counter"], row["operation"], row["data_source"], row["tlb_walk"]): (
            row["samples"], row["mean_cycles"], row["p50_cycles"], row["p90_cycles"],
            row["p99_cycles"], row["max_cycles"],
        )
        for row in found.latencies.to_pylist()
    }  # fmt: skip
    of_l1 = (100, 50.5, 50, 90, 99, 100)
    assert table["data_source", "total", "load", "L1D", None] == of_l1
    assert table["tlb", "total", "load", None, False] == of_l1
    assert table["tlb", "total", "load", None, True] == (1, 65535, *[65535] * 4)
    assert table["data_source", "total", "load", "DRAM", None][0] == 1
    assert table["operation", "total", "load", None, None][0] == 101
    assert table["operation", "issue", "load", None, None] == (1, 4, 4, 4, 4, 4)
    assert table["operation", "issue", "store", None, None][0] == 1
    assert ("operation", "total", "store", None, None) not in table
    assert found.operations == {"load": 101, "store": 1, None: 1}


def test_data_sources_are_named_by_the_cpus_own_table() -> None:
    records = [record(cpu=n, data_source=8) for n in range(3)]
    found = build(samples(records, midrs={0: {0: 0x413FD0C1, 1: 0x480FD060}}))
    names = {r["data_source"] for r in found.latencies.to_pylist() if r["group"] == "data_source"}
    assert names == {"L2", "LOCAL-MEM", "0x8"}


def test_events_are_counted_by_operation() -> None:
    records = [
        record(BRANCH, events=RETIRED | MISPRED, pc=8),
        record(BRANCH, events=RETIRED | NOT_TAKEN, pc=8),
        record(BRANCH, events=None, pc=8),
        record(OTHER, events=RETIRED | 1 << 14 | MISPRED, pc=16),
    ]
    found = build(samples(records))
    assert rows(found.events, "operation", "event", "samples", "operation_samples") == [
        ("other", "RETIRED", 1, 1), ("other", "MISPRED", 1, 1), ("other", "IMPDEF:14", 1, 1),
        ("branch", "RETIRED", 2, 2), ("branch", "NOT-TAKEN", 1, 2), ("branch", "MISPRED", 1, 2),
    ]  # fmt: skip
    counts = rows(found.pcs, "pc", "branches", "mispredicted", "not_taken")
    assert counts == [(8, 3, 1, 1), (16, 0, 0, 0)]


def test_most_mispredicted_branches_are_kept_beyond_the_top() -> None:
    often = [record(pc=n) for n in (4, 8) for _ in range(3)]
    rare = [record(BRANCH, events=MISPRED, pc=100)]
    found = build(samples(often + rare), top=1)
    assert rows(found.pcs, "pc", "samples") == [(4, 3), (100, 1)]
    assert found.distinct_pcs == 3


def test_pages_have_their_latencies_and_sources() -> None:
    page = 0x7F0000001000
    memory = RETIRED | L1D_ACCESS
    records = [
        record(va=page, data_source=0, total_latency_cycles=5, events=memory | L1D_REFILL),
        record(va=page + 0xFFF, data_source=0, total_latency_cycles=9, events=memory),
        record(STORE, va=page + 8, events=memory | TLB_WALK | TLB_ACCESS, pa=0x5000),
        record(va=page, context_el1=20),
        record(va=KERNEL + 0x123456, context_el1=20),
    ]
    mappings = [mapping(page, 0x1000, "/shm"), mapping(page, 0x1000, "[heap]", pid=20, tid=20)]
    found = build(samples(records, mappings), top=2)
    first, second = found.pages.to_pylist()
    assert (first["address"], first["pid"], first["mapping"]) == (page, 10, "/shm")
    assert [first[n] for n in ("samples", "loads", "stores", "tlb_walks", "l1d_refills")] == [
        3, 2, 1, 1, 1,
    ]  # fmt: skip
    assert [first[f"latency_p{n}_cycles"] for n in (50, 90, 99)] == [9, 10, 10]
    assert first["data_sources"] == [
        {"data_source": "L1D", "samples": 2}, {"data_source": None, "samples": 1},
    ]  # fmt: skip
    assert second["pid"] is None or second["mapping"] == "[heap]"
    assert found.distinct_pages == 3
    physical = build(samples(records, mappings), physical=True).pages.to_pylist()
    assert [(row["address"], row["physical"], row["samples"]) for row in physical] == [
        (0x5000, True, 1)
    ]


def test_rates_gaps_and_the_heat_map_hold_every_sample() -> None:
    records = [
        record(cpu=n % 2, time_ns=1000 + 10 * n, va=(n % 3 + 1) << 30 | n << 12) for n in range(900)
    ]
    gaps = [
        {"source": 0, "cpu": 1, "start_ns": 2000, "end_ns": 2500, "cause": "truncated",
         "records_lost_estimate": 7},
        {"source": 0, "cpu": 1, "start_ns": 9000, "end_ns": None, "cause": "stopped"},
        {"source": 0, "cpu": 5, "start_ns": 1000, "end_ns": 1100, "cause": "stopped"},
    ]  # fmt: skip
    found = build(samples([*records, record(time_ns=None)]), gaps=gaps)
    assert found.span_ns == (1000, 9990)
    names = ("cpu", "samples", "first_ns", "last_ns", "gaps", "gap_ns", "records_lost_estimate")
    assert rows(found.cpus, *names) == [
        (0, 451, 1000, 9980, 0, 0, None),
        (1, 450, 1010, 9990, 2, 500, 7),
        (5, 0, None, None, 1, 100, None),
    ]
    rates = pl.DataFrame(pl.from_arrow(found.rates))
    assert rates["samples"].sum() == 900
    assert (rates["end_ns"] - rates["start_ns"]).unique().to_list() == [38]
    heat = found.heat_map
    assert heat is not None
    assert sum(map(sum, heat.counts)) == 900
    assert heat.row_starts == sorted(heat.row_starts)
    assert all(a < b for a, b in zip(heat.row_starts, heat.row_ends, strict=True))


def test_only_the_chosen_cpu_and_input_are_counted() -> None:
    records = [record(cpu=n % 3, source=n % 2) for n in range(12)]
    chosen = samples(records, sources=2, cpu=1, source=0)
    assert build(chosen).samples == 2


def test_no_record_and_no_time_are_no_failure() -> None:
    nothing = build(samples([]))
    assert (nothing.samples, nothing.span_ns, nothing.heat_map) == (0, None, None)
    timeless = build(samples([record(time_ns=None, va=0x1000)]))
    assert (timeless.samples, timeless.span_ns, len(timeless.rates)) == (1, None, 0)


def test_extreme_values_are_counted() -> None:
    last = (1 << 64) - 1
    edges = [
        record(time_ns=-(1 << 63) + 1, va=last, pc=last, context_el1=(1 << 32) - 1),
        record(time_ns=(1 << 63) - 1, va=0, pc=0, context_el1=(1 << 32) - 2),
    ]
    found = build(samples(edges, [mapping(last, last, "x"), mapping(0, last, "y")]))
    assert sum(row["samples"] for row in found.pcs.to_pylist()) == 2
    assert found.heat_map is not None


def test_frame_by_frame_gives_what_the_whole_gives(shared: Path) -> None:
    opened = open_profile([shared / "captures/spe-synthetic/n1.perf.data"])
    records = pl.concat(opened.samples.scan(COLUMNS)).to_dicts()
    assert len(records) == 3124
    given = opened.samples
    parts = samples(records, rows_at_a_time=97)
    parts = Samples(parts.scan, given.mappings, given.threads, given.midrs)
    one, many = (build(each) for each in (given, parts))
    for table in PROFILE_TABLES:
        name = table.name.removeprefix("profile_")
        assert getattr(one, name).equals(getattr(many, name)), name
    assert one.heat_map == many.heat_map


PERF_SOURCES = {
    "L1D": ("L1 hit", "None"), "L2": ("L2 hit", "None"), "PEER-CORE": ("L2 hit", "N/A or Peer"),
    "SYS-CACHE": ("L3 hit", "Hit"), "REMOTE": ("N/A", "N/A or Peer"), "DRAM": ("RAM hit", "None"),
}  # fmt: skip
"""Data source to level and snoop as perf prints them."""


def test_counts_are_those_of_perf(shared: Path) -> None:
    """Against `perf script`, which prints one line per record."""
    folder = shared / "captures/spe-synthetic"
    found = build(open_profile([folder / "n1.perf.data"]).samples, top=1000)
    with gzip.open(folder / "n1.script.txt.gz", "rt") as file:
        lines = [line.split("|") for line in file]
    threads = Counter(head.split()[0] for head, *_ in lines)
    pcs = Counter(int(rest[-1].split()[-2], 16) for _, *rest in lines)
    operations = Counter(rest[0].removeprefix("OP ") for _, *rest in lines)
    assert found.samples == len(lines) == sum(threads.values())
    assert {row["pc"]: row["samples"] for row in found.pcs.to_pylist()} == pcs
    assert found.operations["load"] == operations["LOAD"]
    assert found.operations["store"] == operations["STORE"]
    levels = Counter(
        (rest[1].removeprefix("LVL "), rest[2].removeprefix("SNP "))
        for _, *rest in lines
        if rest[0] == "OP LOAD"
    )
    ours = {
        row["data_source"]: row["samples"]
        for row in found.latencies.to_pylist()
        if (row["group"], row["counter"], row["operation"]) == ("data_source", "total", "load")
    }
    assert {PERF_SOURCES[name]: count for name, count in ours.items()} == levels
