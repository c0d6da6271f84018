"""The installed trace-cmd as the oracle: what it reports of a file is what the reader reads."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from builders_trace_dat import PAGE, Cpu, Instance, Machine, TraceDat
from trace_cmd_text import assert_same_events, assert_same_fields, events_in

from spetrace.ingest.importer import read_recording

pytestmark = pytest.mark.skipif(not shutil.which("trace-cmd"), reason="needs trace-cmd")

SAMPLES = Path(__file__).resolve().parents[3] / "sample_traces"
TRACES = ["kvm-known-pages/trace.dat", "spe-on-kvm/host.dat"]
CAPTURES = [
    "03-dat-variants/split-v7",
    "03-dat-variants/trace-date",
    "03-dat-variants/trace-instances",
    "03-dat-variants/trace-tsc2nsec",
    "03-dat-variants/trace-v6",
    "03-dat-variants/trace-v7-none",
    "13-baremetal-known/both",
    "14-kernel-6.1/trace-all",
]
MACHINES = [Machine("<", 8), Machine("<", 4), Machine(">", 8), Machine(">", 4)]
LE = Machine()
HOST_ID, GUEST_ID = 0x1234, 0x77


def trace_cmd(*arguments: str | Path) -> str:
    command = ["trace-cmd", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"trace-cmd {arguments[0]}: {(done.stderr or done.stdout).strip()[-200:]}")
    return done.stdout


def report(*arguments: str | Path) -> str:
    return trace_cmd("report", "-N", "-t", *arguments)


def check_against_trace_cmd(path: Path) -> str:
    """Events, their order and all their fields; returns the report of the raw fields."""
    recording = read_recording(path)
    raw = report("-R", "-i", path)
    assert_same_events(recording, events_in(raw))
    assert_same_fields(recording, events_in(raw))
    return raw


@pytest.mark.parametrize("name", TRACES)
def test_sample_trace_is_as_trace_cmd_reports_it(name: str) -> None:
    path = SAMPLES / name
    assert_same_events(read_recording(path), events_in(report("-i", path)))
    check_against_trace_cmd(path)


@pytest.mark.parametrize("name", CAPTURES)
def test_capture_is_as_trace_cmd_reports_it(shared: Path, name: str) -> None:
    check_against_trace_cmd(shared / "captures" / "kvm" / f"{name}.dat")


@pytest.mark.parametrize(
    "form",
    [
        ("--file-version", "6"),
        ("--file-version", "7", "--compression", "none"),
        ("--file-version", "7", "--compression", "zlib"),
        ("--file-version", "7", "--compression", "zstd"),
    ],
    ids=" ".join,
)
def test_what_trace_cmd_converts_is_the_same(tmp_path: Path, form: tuple[str, ...]) -> None:
    source, path = SAMPLES / TRACES[0], tmp_path / "converted.dat"
    trace_cmd("convert", "-i", source, "-o", path, *form)
    original, converted = read_recording(source), read_recording(path)
    assert list(converted.tracepoints) == list(original.tracepoints)
    for name, table in original.tracepoints.items():
        assert converted.tracepoints[name].equals(table), name
    assert converted.quality.counts == original.quality.counts


@pytest.mark.parametrize("version", ["v6", "v7"])
@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_hand_built_file_is_as_trace_cmd_reports_it(
    tmp_path: Path, machine: Machine, version: str
) -> None:
    event = machine.event(machine.entry(100, 0xFFFF_8000_1234), delta=5)
    cpus = [
        Cpu(
            0,
            machine.page(1000, event, machine.long_event(machine.entry(7, 2), delta=1))
            + machine.page(2000, event, lost=41)
            + machine.page(3000, machine.word(30, 3) + machine.pack("I", 2), event)
            + machine.page(1 << 40, machine.word(31, 9) + machine.pack("I", 9000), event),
        ),
        Cpu(1, machine.page(1500, event, event, flags=1 << 31) + machine.page(1 << 41, event)),
    ]
    path = tmp_path / "trace.dat"
    path.write_bytes(getattr(TraceDat(machine, instances=[Instance(cpus)]), version)())
    raw = check_against_trace_cmd(path)
    counts = read_recording(path).quality.counts
    assert counts == {"trace_lost_events": 41, "trace_lost_unknown": 1}
    assert re.findall(r"^CPU:\d+ \[(.*)\]$", raw, re.MULTILINE) == [
        "EVENTS DROPPED",
        "41 EVENTS DROPPED",
    ]


def test_sub_buffers_larger_than_a_page(tmp_path: Path) -> None:
    event = LE.event(LE.entry(1, 5), delta=2)
    pages = LE.page(1, *[event] * 700, size=4 * PAGE) + LE.page(9000, event, size=4 * PAGE)
    path = tmp_path / "trace.dat"
    path.write_bytes(TraceDat(instances=[Instance([Cpu(0, pages)])], page_size=4 * PAGE).v7())
    check_against_trace_cmd(path)


@pytest.mark.parametrize(
    "options",
    [
        [(1, b"0x12345\0")],
        [(7, b"-77\0")],
        [(14, struct.pack("<IIQ", 0x7FFF_FF01, 29, 7))],
        [(1, b"500\0"), (7, b"3\0"), (14, struct.pack("<IIQ", 3, 1, 0))],
    ],
    ids=["DATE", "OFFSET", "TSC2NSEC", "all"],
)
def test_corrections_are_those_of_trace_cmd(
    tmp_path: Path, options: list[tuple[int, bytes]]
) -> None:
    event = LE.event(LE.entry(1, 5), delta=11)
    pages = LE.page(10**9, event, event) + LE.page(10**12, event)
    clock = "x86-tsc" if any(id_ == 14 for id_, _ in options) else "local"
    file = TraceDat(instances=[Instance([Cpu(0, pages)], clock=clock)], options=options)
    path = tmp_path / "trace.dat"
    path.write_bytes(file.v7())
    check_against_trace_cmd(path)


def time_shift(*cpus: list[tuple[int, int, int, int]]) -> tuple[int, bytes]:
    """Samples by vCPU: time, offset, scaling, fraction; to be interpolated between."""
    data = struct.pack("<QII", HOST_ID, 1, len(cpus))
    for samples in cpus:
        columns = list(zip(*samples, strict=True))[:3]
        data += struct.pack("<I", len(samples))
        data += b"".join(struct.pack(f"<{len(samples)}q", *column) for column in columns)
    data += b"".join(struct.pack("<q", sample[3]) for samples in cpus for sample in samples)
    return 12, data


def test_guest_of_a_pair_is_on_the_hosts_clock(tmp_path: Path) -> None:
    """As trace-cmd record -A makes them; the vCPUs' clocks run apart by offset and by slope."""
    host_event = LE.event(LE.entry(500, 5), delta=7)
    host = TraceDat(
        instances=[Instance([Cpu(0, LE.page(50_000, host_event) + LE.page(90_000, host_event))])],
        options=[
            (11, struct.pack("<Q", HOST_ID)),
            (13, b"vm\0" + struct.pack("<QIIIII", GUEST_ID, 2, 0, 500, 1, 501)),
        ],
    )
    event = LE.event(LE.entry(1, 6), delta=3)
    vcpus = [
        Cpu(n, b"".join(LE.page(t, event, event) for t in (900, 1400, 2600, 4000)))
        for n in range(2)
    ]
    shifts = time_shift(
        [(1000, 49_000, 1, 0), (2000, 49_500, 1, 0), (3000, 48_000, 1, 0)],
        [(1000, 60_000, 5, 2), (2000, 61_000, 5, 2)],
    )
    guest = TraceDat(
        instances=[Instance(vcpus)], options=[(11, struct.pack("<Q", GUEST_ID)), shifts]
    )
    paths = {"host": tmp_path / "host.dat", "guest": tmp_path / "guest.dat"}
    paths["host"].write_bytes(host.v7())
    paths["guest"].write_bytes(guest.v7())
    text = report("-R", "-i", paths["host"], "-i", paths["guest"])
    for name, path in paths.items():
        own = [line.split(":", 1)[1] for line in text.splitlines() if f"{name}.dat: " in line]
        own = [line for line in own if "kvm_entry" in line]
        assert len(own) == {"host": 2, "guest": 16}[name]
        assert_same_events(read_recording(path), events_in("\n".join(own)))
    times = read_recording(paths["guest"]).tracepoints["kvm_entry"]["time_ns"]
    assert times.min() > 49_000


def test_recording_made_here(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("recording needs root")
    path = tmp_path / "trace.dat"
    trace_cmd("record", "-e", "sched", "-o", path, "true")
    check_against_trace_cmd(path)
