"""perf script's texts against the counts of perf report, against each other and against trace-cmd's
recording of the same run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from text_logs import counts, read_capture

from spetrace.ingest.importer import read_recording
from spetrace.tables.recording import Recording

OWN_CLOCKS = ("time_ns", "comm", "tgid")
"""perf and ftrace read the clock one after the other; in guest samples perf tells no name but the process."""


@pytest.fixture(scope="module")
def captures(shared: Path) -> Path:
    return shared / "captures/kvm"


def read(folder: Path, name: str) -> Recording:
    path = folder / f"{name}.txt"
    return read_capture(path if path.exists() else path.with_suffix(".txt.gz"))


def told_counts(folder: Path, data: str) -> dict[str, int]:
    """The README's counts of perf's samples by event."""
    text = (folder / "README.md").read_text()
    section = text[text.index(f"## {data} ") :].splitlines()[1]
    return {event: int(n) for event, n in re.findall(r"\w+:(\w+) (\d+)", section)}


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("07-perf", ("perf-all-mono", "perf-all-slice", "perf-callgraph", "perf-kvmstat", "perf-life", "perf-lost", "perf-pid", "perf-pipe", "perf-z")),
        ("13-baremetal-known", ("both", "perf-thp-never")),
        ("16-baremetal-known-nonuma", ("both", "perf-thp-never")),
        ("14-kernel-6.1", ("perf",)),
    ],
)  # fmt: skip
def test_perf_text_with_guest_code_has_all_samples(
    captures: Path, folder: str, names: tuple
) -> None:
    for name in names:
        recording = read(captures / folder, f"{name}.guest-code")
        assert counts(recording) == told_counts(captures / folder, f"{name}.data"), name
        assert not recording.quality.counts


def scripts(captures: Path) -> list[tuple[str, int]]:
    """The texts of 07-perf without call chains and how many lines each has."""
    text = (captures / "07-perf/SCRIPTS.txt").read_text()
    found = re.findall(r"^(\S+)\.txt rc=0 (\d+) lines", text, re.MULTILINE)
    left_out = ("callgraph", "header", "showtask", "showlost", "F-notrace")
    return [(n, int(c)) for n, c in found if int(c) and not any(word in n for word in left_out)]


def test_perf_texts_have_an_event_per_line(captures: Path) -> None:
    texts = scripts(captures)
    assert len(texts) == 33
    for name, lines in texts:
        recording = read(captures / "07-perf", name)
        assert sum(counts(recording).values()) == lines, name
        assert "text_unparsed_lines" not in recording.quality.counts


@pytest.mark.parametrize(
    ("name", "events", "quality"),
    [
        ("perf-all-slice.header", 197, {}),
        ("perf-all-slice.showtask", 197, {"text_side_band_lines": 535 - 197}),
        ("perf-lost.showlost", 69, {"text_side_band_lines": 17, "perf_lost_events": 1986}),
        ("perf-callgraph.script", 20, {}),
    ],
)
def test_perf_texts_with_other_lines(
    captures: Path, name: str, events: int, quality: dict[str, int]
) -> None:
    recording = read(captures / "07-perf", name)
    assert sum(counts(recording).values()) == events
    assert recording.quality.counts == quality | {"perf_script_without_guest": events}


def differing(one: Recording, other: Recording) -> set[str]:
    """Columns in which the recordings differ, by name."""
    assert counts(one) == counts(other)
    found = set()
    for event, frame in one.tracepoints.items():
        same = other.tracepoints[event]
        assert frame.schema == same.schema
        for name in frame.columns:
            a, b = (f[name].cast(pl.String) if name == "comm" else f[name] for f in (frame, same))
            if a.ne_missing(b).any():
                found.add(name)
    return found


@pytest.mark.parametrize(
    ("variant", "apart"),
    [
        ("F-trace", set()), ("F-machine", set()), ("fulltid", set()), ("header", set()), ("showtask", set()),
        ("F-full", {"tgid"}), ("F-plus-pid", {"tgid"}), ("ns", {"time_ns"}), ("reltime", {"time_ns"}),
        ("F-minus-comm", {"comm"}), ("F-time-event-trace", {"comm", "pid", "cpu"}),
    ],
)  # fmt: skip
def test_perf_fields_tell_the_same(captures: Path, variant: str, apart: set[str]) -> None:
    default = read(captures / "07-perf", "perf-all-slice.script")
    assert differing(default, read(captures / "07-perf", f"perf-all-slice.{variant}")) == apart


def test_perf_fields_of_guest_samples_tell_the_same(captures: Path) -> None:
    folder = captures / "07-perf"
    default = read(folder, "perf-all-slice.guest-code")
    for variant in ("F-pid", "F-machine", "F-full"):
        assert differing(default, read(folder, f"perf-all-slice.guest.{variant}")) <= {"tgid"}
    assert differing(default, read(folder, "perf-all-slice.guest.ns")) == {"time_ns"}


def test_perf_relative_times_are_those_of_the_clock(captures: Path) -> None:
    folder = captures / "07-perf"
    exact = read(folder, "perf-all-slice.guest.ns").tracepoints["kvm_exit"]["time_ns"]
    for variant, microseconds in (("reltime", 1), ("deltatime", 5254)):
        recording = read(folder, f"perf-all-slice.guest.{variant}")
        times = recording.tracepoints["kvm_exit"]["time_ns"]
        assert recording.quality.counts == {"text_times_without_clock": 5254}
        apart = (exact - times) - 993958667328
        assert apart.min() >= 0
        assert apart.max() <= 1000 * microseconds


@pytest.mark.parametrize("folder", ["13-baremetal-known", "16-baremetal-known-nonuma"])
@pytest.mark.parametrize("form", ["guest-code", "guest-ns"])
def test_perf_text_equals_trace_of_the_same_run(captures: Path, folder: str, form: str) -> None:
    perf = read(captures / folder, f"both.{form}")
    trace = read(captures / folder, "both.report-N-t")
    assert counts(perf) == json.loads((captures / folder / "counts.json").read_text())["both.dat"]
    assert differing(perf, trace) == set(OWN_CLOCKS)
    for event, frame in perf.tracepoints.items():
        names = frame["comm"].cast(pl.String)
        told = names.is_not_null()
        assert names.filter(told).equals(
            trace.tracepoints[event]["comm"].cast(pl.String).filter(told)
        )
        assert ((frame["time_ns"] - trace.tracepoints[event]["time_ns"]).abs() < 400_000).all()


def test_plain_perf_text_lacks_the_guest(captures: Path) -> None:
    recording = read(captures / "07-perf", "perf-all-mono.script")
    assert sum(counts(recording).values()) == 42
    assert recording.quality.counts == {"perf_script_without_guest": 42}
    assert recording.quality.details == {
        "perf_script_without_guest": "0 guest entries or exits among 42 KVM events"
    }


@pytest.mark.parametrize(
    ("folder", "name", "form"),
    [
        ("16-baremetal-known-nonuma", "both", "guest-ns"),
        ("13-baremetal-known", "perf-thp-never", "guest-ns"),
        ("07-perf", "perf-all-slice", "guest.ns"),
    ],
)
def test_perf_text_equals_perf_data(captures: Path, folder: str, name: str, form: str) -> None:
    data = read_recording(captures / folder / f"{name}.data")
    text = read(captures / folder, f"{name}.{form}")
    assert differing(data, text) <= {"comm", "tgid", "errno"}
