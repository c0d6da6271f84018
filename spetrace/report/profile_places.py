"""Where the samples are: functions, instructions, branches, data pages."""

from __future__ import annotations

from typing import Any

from spetrace.report.profile_labels import (
    file_name,
    function_label,
    owner_label,
    pc_label,
    source_label,
)
from spetrace.report.profile_section import (
    SAMPLES,
    Heading,
    Section,
    counted,
    cycles,
    left_out,
    mean,
    percent,
    share,
)
from spetrace.report.units import render_count, render_share
from spetrace.report.wording import printable
from spetrace.tables.profile import Profile

_OF_ALL = percent("all samples")
_MEAN = Heading("mean\ncycles", "mean total latency of these samples")
_PLACE = (
    Heading("mis-\npredicted", "branches that were mispredicted", dispensable=3),
    Heading("L1D\nrefills", "samples that refilled the level 1 data cache", dispensable=4),
    Heading("TLB\nwalks", "samples that took a translation table walk", dispensable=5),
)
_MIX = 3
"""Data sources of a page that are named."""


def functions_section(profile: Profile, top: int) -> Section:
    """The most frequent functions."""
    rows = profile.functions.slice(0, top).to_pylist()
    return Section(
        "Functions",
        (SAMPLES, _OF_ALL, Heading("function", "name, or file where it is unknown", True),
         Heading("file", "the file that it is in", True), _MEAN, *_PLACE),
        tuple((*counted(row["samples"], profile.samples), function_label(row),
               file_name(row["file"]), *_measures(row)) for row in rows),
        left_out(len(rows), profile.distinct_functions, "functions"),
    )  # fmt: skip


def pcs_section(profile: Profile, top: int) -> Section:
    """The most frequent instructions."""
    rows = profile.pcs.slice(0, top).to_pylist()
    return Section(
        "Instructions",
        (SAMPLES, _OF_ALL, Heading("place", "function, or file, and place in it", True),
         Heading("PC", "virtual address; empty where processes have it at several", True, 2),
         _MEAN, *_PLACE),
        tuple((*counted(row["samples"], profile.samples), pc_label(row), _address(row["pc"]),
               *_measures(row)) for row in rows),
        left_out(len(rows), profile.distinct_pcs, "instructions"),
    )  # fmt: skip


def mispredicted_section(profile: Profile, top: int) -> Section:
    """The branches that were mispredicted most."""
    whole = _mispredictions(profile)
    rows = [row for row in profile.pcs.to_pylist() if row["mispredicted"]]
    rows.sort(key=lambda row: (-row["mispredicted"], pc_label(row)))
    return Section(
        "Most mispredicted branches",
        (Heading("mis-\npredicted", "samples of mispredicted branches"),
         percent("all mispredicted branches"),
         Heading("place", "function, or file, and place in it", True),
         Heading("branches\nthere", "samples of the branch"),
         Heading("% of\nthem", "mispredicted, in percent of the samples of the branch")),
        tuple((*counted(row["mispredicted"], whole), pc_label(row), render_count(row["branches"]),
               share(row["mispredicted"], row["branches"])) for row in rows[:top]),
    )  # fmt: skip


def pages_section(profile: Profile, top: int) -> Section:
    """The most frequent data pages."""
    rows = profile.pages.slice(0, top).to_pylist()
    physical = bool(rows) and rows[0]["physical"]
    accesses = sum(profile.operations.get(name, 0) for name in ("load", "store"))
    return Section(
        "Physical data pages" if physical else "Data pages",
        (SAMPLES, percent("all sampled loads and stores"),
         Heading("page of 4 KiB", "its first address", True),
         Heading("process", "process id; empty where unknown, or the kernel's", True, 3),
         Heading("loads", "sampled loads", dispensable=2),
         Heading("stores", "sampled stores", dispensable=2),
         Heading("p50\ncycles", "median total latency"), Heading("p90", "90th percentile"),
         Heading("p99", "99th percentile"),
         Heading("TLB\nwalks", "samples that took a translation table walk", dispensable=4),
         Heading("data sources", "percentage and count of the samples by data source", True)),
        tuple((*counted(row["samples"], accesses), _page(row), owner_label(row),
               render_count(row["loads"]), render_count(row["stores"]),
               cycles(row["latency_p50_cycles"]), cycles(row["latency_p90_cycles"]),
               cycles(row["latency_p99_cycles"]), render_count(row["tlb_walks"]), _mix(row))
              for row in rows),
        left_out(len(rows), profile.distinct_pages, "pages"),
    )  # fmt: skip


def _measures(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        mean(row["latency_cycles"], row["latency_samples"]),
        *(render_count(row[name]) for name in ("mispredicted", "l1d_refills", "tlb_walks")),
    )


def _mispredictions(profile: Profile) -> int:
    return sum(
        row["samples"]
        for row in profile.events.to_pylist()
        if row["event"] == "MISPRED" and row["operation"] == "branch"
    )


def _address(pc: int | None) -> str:
    return "" if pc is None else f"{pc:#x}"


def _page(row: dict[str, Any]) -> str:
    mapping = f" {printable(file_name(row['mapping']))}" if row["mapping"] else ""
    return f"{row['address']:#x}{mapping}"


def _mix(row: dict[str, Any]) -> str:
    parts = [
        f"{source_label(each['data_source'])} {render_share(each['samples'], row['samples'])} % "
        f"({each['samples']:,})"
        for each in row["data_sources"][:_MIX]
    ]
    more = len(row["data_sources"]) - _MIX
    return ", ".join(parts) + (f", {more} more" if more > 0 else "")
