"""The kernels of text logs: what was printed is read back, as a plain reading does."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from print_reference import read_by_pattern
from test_text_formats import PRINTED

from spetrace.ingest.event_text.importer import read
from spetrace.ingest.event_text.known_events import read_fields
from spetrace.ingest.event_text.kvm_formats import FORMATS

PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
NAMES = st.one_of(
    st.text(PRINTABLE, max_size=15),
    st.sampled_from(["CPU 0/KVM", "a-5 [001] b", "a: b", "a-1", "-", "kworker/0:1", "a 12", "[x] 1", "1"]),
).map(str.strip)  # fmt: skip
NUMBERS = st.integers(0, (1 << 31) - 1)
TIMES = st.integers(1, 9_000_000_000 * 10**6)
EVENTS = st.sampled_from(["kvm_entry", "sched_switch", "x"])


def read_line(line: str) -> tuple[str, dict]:
    recording = read("x", memoryview(line.encode()))
    (frame,) = recording.tracepoints.values()
    return next(iter(recording.tracepoints)), frame.row(0, named=True)


def assert_read(line: str, event: str, expected: dict) -> None:
    name, row = read_line(line)
    assert name == event
    assert {key: row[key] for key in expected} == expected


def text_of(event: str) -> str:
    return "PC: 0x00000000000000ff" if event == "kvm_entry" else "a=1 b=0x2"


@settings(deadline=None, max_examples=150)
@given(
    NAMES, NUMBERS, st.integers(0, 999), TIMES, EVENTS, st.sampled_from(["", "d..1. ", "....X "])
)
def test_ftrace_line_is_read_as_printed(
    comm: str, pid: int, cpu: int, time: int, event: str, flags: str
) -> None:
    when = f"{time // 10**6:5d}.{time % 10**6:06d}"
    line = f"{comm:>16}-{pid:<7} [{cpu:03d}] {flags}{when}: {event}: {text_of(event)}"
    name = None if comm == "<...>" else comm
    assert_read(line, event, {"comm": name, "pid": pid, "cpu": cpu, "time_ns": time * 1000})


@settings(deadline=None, max_examples=150)
@given(NAMES, NUMBERS, NUMBERS, st.integers(0, 999), TIMES, EVENTS, st.booleans(), st.booleans())
def test_perf_line_is_read_as_printed(
    comm: str, pid: int, tid: int, cpu: int, time: int, event: str, both: bool, period: bool
) -> None:
    thread = f"{pid:7d}/{tid:<7d} " if both else f"{tid:7d} "
    when = f"{time // 10**6:5d}.{time % 10**6:06d}"
    line = f"{comm:>16} {thread}[{cpu:03d}] {when:>12}: {'         1 ' * period}     kvm:{event}: {text_of(event)}"
    if comm.startswith(":") and comm[1:].removeprefix("-").isdigit():
        return
    expected = {"comm": comm, "pid": tid, "cpu": cpu, "time_ns": time * 1000}
    assert_read(line, event, expected | {"tgid": pid if both else None})


MUTATIONS = st.sampled_from(
    ["", " ", "  ", "0x", "f", "-", "-1", "9" * 20, "0" * 20 + "1", "(", ")", ", ", ":", "\t", " ffff800080081000 sym",
     "<CANT FIND FIELD rip>", "error (5)", "deadbeef"]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(PRINTED), st.data())
def test_print_kernel_equals_regular_expression(case: tuple, data: st.DataObject) -> None:
    event, text, _ = case
    place = data.draw(st.integers(0, len(text)))
    skip = data.draw(st.integers(0, 3))
    text = text[:place] + data.draw(MUTATIONS) + text[place + skip :]
    expected = read_by_pattern(FORMATS[event], text)
    encoded = np.frombuffer(b"|" + text.encode(), np.uint8)
    at, to = np.array([1]), np.array([len(encoded)])
    fields, fits = read_fields(encoded, at, to, FORMATS[event])
    if expected is None:
        assert not fits[0] or "=" in text
        return
    assert fits[0]
    got = dict(zip(FORMATS[event].fields, (series[0] for series in fields), strict=True))
    assert {k: v for k, v in got.items() if v is not None} == {
        k: v for k, v in expected.items() if v is not None
    }
