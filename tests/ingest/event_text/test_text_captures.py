"""The same recordings in several printed forms, against each other, against raw fields and against
the counts of trace-cmd."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from text_logs import counts, read_capture

from spetrace.ingest.event_text.kvm_formats import FORMATS
from spetrace.ingest.trace_dat.importer import IMPORTER as TRACE_DAT
from spetrace.tables.recording import Recording

FTRACE = "06-ftrace-text"
NOT_LISTED = ("ksm_enter", "ksm_exit", "ksm_merge_with_ksm_page", "ksm_remove_ksm_page",
              "ksm_remove_rmap_item", "ksm_start_scan", "ksm_stop_scan")  # fmt: skip
"""Events whose print format is no list of name=value."""
UNTOLD = {"kvm_wfx_arm64.vcpu_pc", "kvm_wfx_arm64.is_wfe", "kvm_userspace_exit.errno"}
"""What libtraceevent can't print (%c) or the print format doesn't tell."""


@pytest.fixture(scope="module")
def captures(shared: Path) -> Path:
    return shared / "captures/kvm"


def differing(one: Recording, other: Recording) -> set[str]:
    """Columns in which the recordings differ, as event.column."""
    assert counts(one) == counts(other)
    return differing_in(one, other, one.tracepoints)


def differing_in(one: Recording, other: Recording, events: Iterable[str]) -> set[str]:
    found = set()
    for event in events:
        frame = one.tracepoints[event]
        same = other.tracepoints[event]
        assert frame.schema == same.schema
        for name in frame.columns:
            a, b = (f[name].cast(pl.String) if name == "comm" else f[name] for f in (frame, same))
            if a.ne_missing(b).any():
                found.add(f"{event}.{name}")
    return found


def known_counts(folder: Path, file: str) -> dict[str, int]:
    return json.loads((folder / "counts.json").read_text())[file]


@pytest.mark.parametrize(
    ("file", "apart"),
    [
        ("03-noirq-info", set()), ("04-record-tgid", set()), ("15-percpu1", set()),
        ("11-fields", {"kvm_arm_setup_debug.vcpu", "kvm_arm_set_dreg32.name", "kvm_sys_access.name"}),
    ],
)  # fmt: skip
def test_ftrace_options_tell_the_same(captures: Path, file: str, apart: set[str]) -> None:
    default = read_capture(captures / FTRACE / "02-trace-default.txt.gz")
    assert sum(counts(default).values()) == 15495
    assert default.quality.counts == {"trace_overrun_events": 295553 - 15495}
    assert differing(default, read_capture(captures / FTRACE / f"{file}.txt.gz")) == apart


def test_ftrace_latency_format_cuts_names_and_counts_from_the_buffers_start(
    captures: Path,
) -> None:
    default = read_capture(captures / FTRACE / "02-trace-default.txt.gz")
    latency = read_capture(captures / FTRACE / "05-latency-format.txt.gz")
    columns = {name.split(".")[1] for name in differing(default, latency)}
    assert columns == {"time_ns", "comm"}
    assert latency.properties["times_since"] == "the buffer's start"
    assert latency.properties["cpus"] == 2
    assert latency.quality.counts == {
        "text_times_without_clock": 15495, "trace_overrun_events": 295553 - 15495,
    }  # fmt: skip
    assert latency.tracepoints["kvm_exit"]["comm"].unique().to_list() == ["kvm-vcpu"]
    for event, frame in latency.tracepoints.items():
        start = default.tracepoints[event]["time_ns"] - frame["time_ns"]
        assert start.is_between(703_223_542_000, 703_223_544_000).all()


def test_ftrace_verbose_tells_the_same_but_rounded(captures: Path) -> None:
    default = read_capture(captures / FTRACE / "02-trace-default.txt.gz")
    verbose = read_capture(captures / FTRACE / "06-latency-verbose.txt.gz")
    assert {name.split(".")[1] for name in differing(default, verbose)} <= {"time_ns"}
    assert verbose.quality.counts == {"trace_overrun_events": 295553 - 15495}
    for event, frame in verbose.tracepoints.items():
        apart = (default.tracepoints[event]["time_ns"] - frame["time_ns"]).abs()
        assert apart.max() <= 1000


@pytest.mark.parametrize(
    ("file", "events", "is_ns"),
    [
        ("16-clock-global.txt", 1851, True), ("17-clock-counter.txt.gz", 5332, False),
        ("18-clock-uptime.txt", 1574, False), ("22-clock-boot.txt", 1827, True),
        ("23-clock-tai.txt", 1761, True), ("26-with-sched-irq.txt.gz", 2160, True),
    ],
)  # fmt: skip
def test_ftrace_clocks(captures: Path, file: str, events: int, is_ns: bool) -> None:
    recording = read_capture(captures / FTRACE / file)
    assert sum(counts(recording).values()) == events
    assert recording.clock_is_ns == is_ns
    assert not recording.quality.counts


def test_ftrace_tgid_recorded(captures: Path) -> None:
    recording = read_capture(captures / FTRACE / "24-tgid-recorded.txt")
    tgids = pl.concat([f.select("pid", "tgid") for f in recording.tracepoints.values()]).unique()
    assert sorted(tgids.rows()) == [(2658, 2651), (2659, 2651)]


def test_ftrace_markers(captures: Path) -> None:
    recording = read_capture(captures / FTRACE / "25-noirq-markers.txt.gz")
    assert recording.tracepoints["print"]["buf"].to_list() == ["phase one", "phase two"]


def test_trace_pipe_with_lost_events(captures: Path) -> None:
    recording = read_capture(captures / "04-lost-events/trace_pipe-lost.txt.gz")
    assert recording.quality.counts == {"trace_lost_events": 158473, "text_unparsed_lines": 451}
    assert sum(counts(recording).values()) == 23248


@pytest.mark.parametrize(
    ("folder", "name", "dat"),
    [
        ("13-baremetal-known", "both", "both.dat"),
        ("13-baremetal-known", "trace-thp-always", "trace-thp-always.dat"),
        ("16-baremetal-known-nonuma", "both", "both.dat"),
        ("14-kernel-6.1", "trace-all", "trace-all.dat"),
        ("03-dat-variants", "trace-v7-zlib", "trace-v7-zlib.dat"),
        ("04-lost-events", "trace-extract", "trace-extract.dat"),
    ],
)
def test_reports_of_one_recording_agree(captures: Path, folder: str, name: str, dat: str) -> None:
    exact, raw, plain = (
        read_capture(captures / folder / f"{name}.{form}.txt.gz")
        for form in ("report-N-t", "report-R", "report")
    )
    assert counts(exact) == known_counts(captures / folder, dat)
    assert exact.properties["cpus"] == 2
    assert [r.properties["precision_ns"] for r in (exact, raw, plain)] == [1, 1000, 1000]
    times = {f"{event}.time_ns" for event in counts(exact)}
    assert differing(exact, raw) <= times | UNTOLD
    assert differing(exact, plain) <= times
    for event, frame in exact.tracepoints.items():
        assert ((frame["time_ns"] - raw.tracepoints[event]["time_ns"]).abs() <= 500).all()


def test_report_with_a_hole(captures: Path) -> None:
    recording = read_capture(captures / "04-lost-events/trace-extract.report.txt.gz")
    assert recording.quality.counts == {"trace_lost_unknown": 2}


def test_report_of_instances(captures: Path) -> None:
    recording = read_capture(captures / "03-dat-variants/trace-instances.report-N-t.txt.gz")
    assert recording.tracepoints["kvm_exit"]["instance"].unique().to_list() == ["inst1"]
    assert recording.tracepoints["sched_switch"]["instance"].unique().to_list() == ["inst2"]
    assert recording.properties["instances"] == ["inst2", "inst1"]


def test_report_of_boot_clock_has_plain_times(captures: Path) -> None:
    recording = read_capture(captures / "05-clocks/clock-boot.report-N-t.txt.gz")
    assert not recording.clock_is_ns
    assert recording.tracepoints["memslot"]["time_ns"][0] > 500_000_000_000
    assert counts(recording) == known_counts(captures / "05-clocks", "clock-boot.dat")


@pytest.fixture(scope="module")
def churn(captures: Path) -> Recording:
    return read_capture(captures / "08-churn-lkvm/trace.report-N-t.txt.gz")


def test_churn_counts(captures: Path, churn: Recording) -> None:
    known = known_counts(captures / "08-churn-lkvm", "trace.dat")
    assert sum(known.values()) == 747_907
    assert churn.properties["events"] == known
    assert counts(churn) == {e: n for e, n in known.items() if e not in NOT_LISTED}
    assert churn.quality.counts == {"text_unparsed_lines": sum(known[e] for e in NOT_LISTED)}


def read_trace_dat(path: Path) -> Recording:
    return TRACE_DAT.read(path.name, memoryview(path.read_bytes()))


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("13-baremetal-known", "both"),
        ("16-baremetal-known-nonuma", "trace-thp-never"),
        ("03-dat-variants", "trace-v7-none"),
        ("05-clocks", "clock-counter"),
    ],
)
def test_report_equals_trace_dat(captures: Path, folder: str, name: str) -> None:
    binary = read_trace_dat(captures / folder / f"{name}.dat")
    text = read_capture(captures / folder / f"{name}.report-N-t.txt.gz")
    assert differing(binary, text) <= UNTOLD
    assert binary.clock_is_ns == text.clock_is_ns


def test_churn_equals_trace_dat(captures: Path, churn: Recording) -> None:
    binary = read_trace_dat(captures / "08-churn-lkvm/trace.dat")
    probes = ("s2_map", "s2_unmap", "s2_relax", "memslot")
    kvm = [event for event in FORMATS if event in churn.tracepoints and event != "print"]
    assert len(kvm) == 12
    assert differing_in(binary, churn, (*kvm, *probes)) <= UNTOLD
    markers = churn.tracepoints["print"]["buf"].to_list()
    assert [buf.rstrip("\n") for buf in binary.tracepoints["print"]["buf"]] == markers
