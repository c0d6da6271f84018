"""Recordings of KVM tracepoints, without SPE: read whole, their events named and counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spetrace.ingest.importer import read_recording

CAPTURES = Path(__file__).resolve().parents[3].parent / "shared" / "captures" / "kvm"
RECORDINGS = sorted(CAPTURES.glob("*/*.data"))
COUNTS = re.compile(
    r"## (?P<file>\S+\.data) \(\d+ bytes\) (?P<total>\d+) samples.*\n(?P<events>.*)"
)

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")


def told_counts(path: Path) -> dict[str, int]:
    """Samples by event, as the capture's README tells them from perf script."""
    readme = (path.parent / "README.md").read_text()
    for told in COUNTS.finditer(readme):
        if told["file"] == path.name:
            pairs = (pair.rsplit(" ", 1) for pair in told["events"].split(", "))
            return {name: int(count) for name, count in pairs}
    raise AssertionError(f"{path} is not in its README")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_kvm_capture_names_and_counts_its_events(path: Path) -> None:
    recording = read_recording(path)
    assert recording.spe is None
    assert recording.properties["hostname"] == "l1"
    assert set(recording.quality.counts) == ({"perf_lost_events"} if "lost" in path.name else set())
    events = recording.properties["events"]
    assert {e["name"]: e["samples"] for e in events if e["samples"]} == told_counts(path)
    traced = [e for e in events if not e["name"].startswith("dummy:")]
    assert {e["type"] for e in traced} == {"tracepoint"}


def test_lost_capture_counts_what_perf_counts(shared: Path) -> None:
    folder = shared / "captures" / "kvm" / "07-perf"
    told = re.search(
        r"Processed (\d+) samples and lost", (folder / "perf-lost.showlost.txt.err").read_text()
    )
    recording = read_recording(folder / "perf-lost.data")
    samples = sum(event["samples"] for event in recording.properties["events"])
    assert told is not None
    assert recording.quality.counts["perf_lost_events"] == int(told[1]) - samples


def test_other_clock_is_named(shared: Path) -> None:
    recording = read_recording(shared / "captures" / "kvm" / "07-perf" / "perf-all-mono.data")
    assert recording.properties["clockid"] == "monotonic"
