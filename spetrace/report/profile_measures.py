"""What the samples waited for: latencies, branches, TLB, caches, CPUs."""

from __future__ import annotations

from typing import Any

from spetrace.report.profile_labels import NOT_RECORDED, source_label, stream_label
from spetrace.report.profile_section import (
    SAMPLES,
    Heading,
    Section,
    counted,
    cycles,
    percent,
)
from spetrace.report.units import render_count, render_time
from spetrace.tables.profile import Profile

_LATENCY = (
    Heading("mean\ncycles", "mean"),
    Heading("p50", "median: half are not above it"),
    Heading("p90", "90th percentile"),
    Heading("p99", "99th percentile"),
    Heading("max", "the largest"),
)
_OPERATION = Heading("operation", "load, store, branch or other", True)
_ACCESSES = ("load", "store")
_CPUS = 32
"""AUX streams that are shown; all are in the tables."""


def operations_section(profile: Profile) -> Section:
    """What was sampled."""
    return Section(
        "Operations",
        (_OPERATION, SAMPLES, percent("all samples")),
        tuple(
            (operation or NOT_RECORDED, *counted(count, profile.samples))
            for operation, count in profile.operations.items()
        ),
    )


def latencies_section(profile: Profile) -> Section:
    """Every latency counter by operation."""
    rows = [row for row in profile.latencies.to_pylist() if row["group"] == "operation"]
    return Section(
        "Latency by operation",
        (Heading("counter", "total, issue or translation latency", True), _OPERATION, SAMPLES,
         percent("the operation's samples"), *_LATENCY),
        tuple((row["counter"], row["operation"] or NOT_RECORDED,
               *counted(row["samples"], profile.operations.get(row["operation"], 0)),
               *_percentiles(row)) for row in rows),
    )  # fmt: skip


def data_sources_section(profile: Profile) -> Section:
    """Total latency of loads and stores by data source."""
    rows = [
        row
        for row in profile.latencies.to_pylist()
        if row["group"] == "data_source" and row["counter"] == "total"
        and row["operation"] in _ACCESSES
    ]  # fmt: skip
    return Section(
        "Total latency by data source",
        (_OPERATION, Heading("data source", "which memory answered", True), SAMPLES,
         percent("the operation's samples"), *_LATENCY),
        tuple((row["operation"], source_label(row["data_source"]),
               *counted(row["samples"], profile.operations.get(row["operation"], 0)),
               *_percentiles(row)) for row in rows),
    )  # fmt: skip


def branches_section(profile: Profile) -> Section:
    """Branches, mispredicted and not taken."""
    events = _events(profile)
    rows = []
    for name, event in (("mispredicted", "MISPRED"), ("not taken", "NOT-TAKEN")):
        count, whole = events.get(("branch", event), (0, _with_events(profile, "branch")))
        if whole:
            rows.append((name, *counted(count, whole), render_count(whole)))
    return Section(
        "Branches",
        (Heading("outcome", "what became of the branch", True), SAMPLES,
         percent("sampled branches"), Heading("of", "sampled branches with an events packet")),
        tuple(rows),
    )  # fmt: skip


def tlb_section(profile: Profile) -> Section:
    """TLB accesses with and without a walk, and their total latency."""
    rows = [
        row
        for row in profile.latencies.to_pylist()
        if row["group"] == "tlb" and row["counter"] == "total"
    ]
    wholes: dict[str | None, int] = {}
    for row in rows:
        wholes[row["operation"]] = wholes.get(row["operation"], 0) + row["samples"]
    return Section(
        "TLB and total latency",
        (_OPERATION, Heading("walk", "whether the access took a translation table walk", True),
         SAMPLES, percent("the operation's TLB accesses"), *_LATENCY),
        tuple((row["operation"] or NOT_RECORDED, "walk" if row["tlb_walk"] else "no walk",
               *counted(row["samples"], wholes[row["operation"]]), *_percentiles(row))
              for row in rows),
    )  # fmt: skip


def caches_section(profile: Profile) -> Section:
    """Accesses to caches and what they missed."""
    events = _events(profile)
    rows = []
    for operation in _ACCESSES:
        for name, access, miss in (
            ("level 1 data", "L1D-ACCESS", "L1D-REFILL"),
            ("level 2 data", "L2D-ACCESS", "L2D-MISS"),
            ("last level", "LLC-ACCESS", "LLC-REFILL"),
        ):
            accesses, misses = (events.get((operation, e), (0, 0))[0] for e in (access, miss))
            if accesses:
                rows.append((operation, name, render_count(accesses), *counted(misses, accesses)))
    return Section(
        "Caches",
        (_OPERATION, Heading("cache", "as the CPU's events name it", True),
         Heading("accesses", "samples that accessed it"),
         Heading("misses", "samples that missed in it (refilled it)"), percent("the accesses")),
        tuple(rows),
    )  # fmt: skip


def cpus_section(profile: Profile) -> Section:
    """Samples and gaps by AUX stream."""
    rows = profile.cpus.to_pylist()
    several = len(profile.inputs) > 1
    note = f"{_CPUS} of {len(rows):,} AUX streams." if len(rows) > _CPUS else ""
    return Section(
        "CPUs",
        (Heading("stream", "CPU or thread", True), SAMPLES, percent("all samples"),
         Heading("samples\nper s", "between its first and last sample"),
         Heading("gaps", "spans in which nothing could be recorded"),
         Heading("gap\ntime", "their length"),
         Heading("lost\n(estimate)", "records lost in gaps, from the rate around them")),
        tuple((stream_label(row, several), *counted(row["samples"], profile.samples), _rate(row),
               render_count(row["gaps"]), render_time(row["gap_ns"]),
               cycles(row["records_lost_estimate"])) for row in rows[:_CPUS]),
        note,
    )  # fmt: skip


def _percentiles(row: dict[str, Any]) -> tuple[str, ...]:
    quantiles = ("p50_cycles", "p90_cycles", "p99_cycles", "max_cycles")
    return (f"{row['mean_cycles']:,.1f}", *(cycles(row[name]) for name in quantiles))


def _rate(row: dict[str, Any]) -> str:
    if row["first_ns"] is None or row["last_ns"] <= row["first_ns"]:
        return "-"
    return render_count(round(row["samples"] * 1e9 / (row["last_ns"] - row["first_ns"])))


def _events(profile: Profile) -> dict[tuple[str | None, str], tuple[int, int]]:
    """Per operation and event the samples with it, and all of the operation."""
    return {
        (row["operation"], row["event"]): (row["samples"], row["operation_samples"])
        for row in profile.events.to_pylist()
    }


def _with_events(profile: Profile, operation: str) -> int:
    """Samples of the operation that have an events packet."""
    rows = (row for row in profile.events.to_pylist() if row["operation"] == operation)
    return int(next((row["operation_samples"] for row in rows), 0))
