"""Real recordings, compared with trace-cmd's own texts of them, line by line and field by field."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
from trace_cmd_text import (
    KVM_PATTERNS,
    assert_same_events,
    assert_same_fields,
    assert_same_order,
    assert_same_values,
    events_of,
    in_order,
    pattern_fields,
)

from spetrace.ingest.importer import read_recording
from spetrace.ingest.trace_dat.importer import read
from spetrace.tables.recording import Recording

VARIANTS = [
    "03-dat-variants/conv-v6-to-v7",
    "03-dat-variants/conv-v7-to-v6",
    "03-dat-variants/split-v7",
    "03-dat-variants/trace-date",
    "03-dat-variants/trace-instances",
    "03-dat-variants/trace-tsc2nsec",
    "03-dat-variants/trace-v6",
    "03-dat-variants/trace-v7-none",
    "03-dat-variants/trace-v7-zlib",
    "04-lost-events/trace-extract",
    "13-baremetal-known/both",
    "13-baremetal-known/trace-thp-always",
    "13-baremetal-known/trace-thp-never",
    "14-kernel-6.1/trace-all",
    "16-baremetal-known-nonuma/both",
    "16-baremetal-known-nonuma/trace-thp-always",
    "16-baremetal-known-nonuma/trace-thp-never",
    "08-churn-lkvm/trace",
]
WITHOUT_RAW = [
    "01-allkvm-v7-zstd-local/trace",
    "04-lost-events/trace-lost",
    "05-clocks/clock-boot",
    "05-clocks/clock-counter",
    "05-clocks/clock-mono",
    "05-clocks/clock-uptime",
]
COMPRESSED = ["trace-a2-converted-v6", "trace-v6", "trace"]


def capture(shared: Path, name: str) -> tuple[Recording, Path]:
    path = shared / "captures" / "kvm" / f"{name}.dat"
    return read_recording(path), path


def assert_counts(recording: Recording, counts: dict[str, int]) -> None:
    assert {name: len(t) for name, t in recording.tracepoints.items()} == counts


@pytest.mark.parametrize("name", VARIANTS + WITHOUT_RAW)
def test_recording_has_the_events_of_trace_cmd(shared: Path, name: str) -> None:
    recording, path = capture(shared, name)
    counts = json.loads((path.parent / "counts.json").read_text()).get(path.name)
    if counts is not None:
        assert_counts(recording, counts)
    expected = events_of(path.with_suffix(".report-N-t.txt.gz"))
    assert_same_events(recording, expected)
    compared = 0
    for event, table in recording.tracepoints.items():
        if event in KVM_PATTERNS:
            texts = expected["text"].filter(expected["event"] == event)
            fields = pattern_fields(event, texts)
            for field in fields.columns:
                assert_same_values(table[field], fields[field], f"{event}.{field}")
                compared += len(table)
    assert compared > len(expected) // 2


@pytest.mark.parametrize("name", VARIANTS)
def test_every_field_is_as_trace_cmd_prints_it_raw(shared: Path, name: str) -> None:
    recording, path = capture(shared, name)
    assert_same_fields(recording, events_of(path.with_suffix(".report-R.txt.gz")))


@pytest.mark.parametrize("name", COMPRESSED)
def test_file_with_full_kallsyms_has_its_counts(shared: Path, name: str) -> None:
    folder = shared / "captures" / "kvm" / "02-dat-v7none-v6-with-kallsyms"
    data = lzma.decompress((folder / f"{name}.dat.xz").read_bytes())
    counts = json.loads((folder / "counts.json").read_text())
    assert_counts(read(name, memoryview(data)), counts[f"{name}.dat"])


def test_big_file_begins_and_ends_as_trace_cmd_reports_it(shared: Path) -> None:
    folder = shared / "captures" / "kvm" / "90-big"
    data = lzma.decompress((folder / "trace-big.dat.xz").read_bytes())
    recording = read("big", memoryview(data))
    assert_counts(recording, json.loads((folder / "counts.json").read_text())["trace-big.dat"])
    merged = in_order(recording)
    first, last = (events_of(folder / f"{end}50000.report-N-t.txt.gz") for end in ("first", "last"))
    assert_same_order(merged.head(len(first)), first)
    assert_same_order(merged.tail(len(last)), last)


def test_lost_events_are_counted(shared: Path) -> None:
    assert (
        capture(shared, "04-lost-events/trace-lost")[0].quality.counts["trace_lost_events"] == 26387
    )
    extract = capture(shared, "04-lost-events/trace-extract")[0].quality.counts
    assert extract["trace_lost_unknown"] == 2
    assert extract["trace_overrun_events"] > 0
