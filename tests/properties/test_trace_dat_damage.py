"""Whatever happens to a trace.dat: a recording or our error, never another exception."""

from __future__ import annotations

import functools

import pytest
from builders_trace_dat import ENTRY, Cpu, Instance, Machine, TraceDat, build_format
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.errors import InputError
from spetrace.ingest.event_format import parse_event_format
from spetrace.ingest.trace_dat.importer import read
from spetrace.tables.recording import Recording

KINDS = [
    (version, machine, compression)
    for version, compression in (("v6", "none"), ("v7", "none"), ("v7", "zlib"), ("v7", "zstd"))
    for machine in (Machine("<", 8), Machine(">", 4))
]
OPEN = build_format(
    "sys_open",
    8,
    ("__data_loc char[] name", 8, 4, 0),
    ("int modes[2]", 12, 8, 1),
    ("char comm[4]", 20, 4, 0),
    ("bool ok", 24, 1, 0),
    ("struct x raw", 25, 3, 0),
)


@functools.cache
def small_file(version: str, machine: Machine, compression: str) -> bytes:
    pack = machine.pack
    name = pack("Iii4sB3s", 4 << 16 | 28, 1, -1, b"sh", 1, b"abc") + b"/a\0\0"
    events = [
        machine.event(machine.entry(100, 5), delta=9),
        machine.long_event(machine.record(8, 100, name), delta=2),
        machine.word(30, 3) + pack("I", 1),
        machine.event(machine.record(8, 100, name), delta=2),
        machine.word(29, 7) + pack("I", 8) + bytes(4),
        machine.word(31, 9) + pack("I", 1),
        machine.event(machine.entry(0, 5), delta=9),
    ]
    cpus = [
        Cpu(0, machine.page(1, *events) + machine.page(50, *events, lost=3)),
        Cpu(1, machine.page(5, *events)),
    ]
    shift = pack("QIII", 7, 1, 1, 2) + pack("6q", 1, 9, 5, 6, 1, 1) + pack("2q", 0, 0)
    options = [
        (12, shift),
        (14, pack("IIQ", 3, 1, 0)),
        (2, b"CPU: 0\nentries: 9\noverrun: 4\n\0"),
        (13, b"vm\0" + pack("QIII", 5, 1, 0, 9)),
    ]
    instances = [Instance(cpus), Instance([Cpu(0, machine.page(3, *events)), Cpu(1, b"")], "i")]
    file = TraceDat(machine, [ENTRY, OPEN], instances, options, compression=compression)
    return file.v6() if version == "v6" else file.v7()


def read_or_refuse(data: bytes) -> Recording | None:
    try:
        return read("x", memoryview(data))
    except InputError:
        return None


def rows(recording: Recording) -> int:
    return sum(len(table) for table in recording.tracepoints.values())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_small_file_is_whole(kind: tuple[str, Machine, str]) -> None:
    recording = read("x", memoryview(small_file(*kind)))
    assert rows(recording) == 16
    assert set(recording.quality.counts) == {"trace_lost_events", "trace_overrun_events"}


@settings(deadline=None, max_examples=120)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_truncated_file_gives_a_part_or_our_error(
    kind: tuple[str, Machine, str], data: st.DataObject
) -> None:
    file = small_file(*kind)
    length = data.draw(st.integers(0, len(file) - 1))
    recording = read_or_refuse(file[:length])
    if recording is not None:
        assert rows(recording) <= 16
        assert recording.quality.counts["file_truncated_bytes"] > 0


@settings(deadline=None, max_examples=300)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_damaged_file_gives_a_recording_or_our_error(
    kind: tuple[str, Machine, str], data: st.DataObject
) -> None:
    file = bytearray(small_file(*kind))
    interesting = [i for i in range(len(file)) if file[i] not in (0, 0xAA)]
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.sampled_from(interesting)) + data.draw(st.integers(-8, 8))
        patch = data.draw(
            st.sampled_from([b"\0", b"\xff", b"\xff" * 4, b"\x7f", b"\x01", bytes(8)])
        )
        file[max(place, 10) : max(place, 10) + len(patch)] = patch
    recording = read_or_refuse(bytes(file))
    if recording is not None:
        assert rows(recording) * 8 <= len(file) * 4


@settings(deadline=None, max_examples=100)
@given(body=st.binary(max_size=300), version=st.sampled_from([b"6\0", b"7\0"]))
def test_any_bytes_behind_the_magic_give_our_error(body: bytes, version: bytes) -> None:
    assert read_or_refuse(b"\x17\x08\x44tracing" + version + body) is None


@settings(deadline=None, max_examples=100)
@given(
    pages=st.lists(st.binary(max_size=200), max_size=4),
    machine=st.sampled_from([Machine("<", 8), Machine(">", 4), Machine(">", 8)]),
)
def test_any_events_in_pages_give_a_recording(pages: list[bytes], machine: Machine) -> None:
    cpu = Cpu(0, b"".join(machine.page(5, page) for page in pages))
    recording = read("x", memoryview(TraceDat(machine, instances=[Instance([cpu])]).v7()))
    assert rows(recording) <= sum(len(page) // 8 for page in pages)


@settings(deadline=None, max_examples=100)
@given(
    text=st.text(max_size=80)
    | st.from_regex(
        r"name: a\nID: 1\n(\tfield:[a-z \[\]*0-9_()]{1,30};\toffset:[0-9]{1,9};\tsize:[0-9]{1,9};\n){1,4}",
        fullmatch=True,
    )
)
def test_any_text_is_a_format_or_our_error(text: str) -> None:
    try:
        format_ = parse_event_format(text)
    except InputError:
        return
    assert all(field.end <= format_.fixed_bytes for field in format_.fields)
