"""Large files are read batch by batch: whatever the batches, the same events in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from builders_trace_dat import ENTRY, PAGE, Cpu, Instance, Machine, TraceDat, build_format
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.ingest.trace_dat import event_stream, frames, pages, survey
from spetrace.ingest.trace_dat.frames import TraceFrames
from spetrace.ingest.trace_dat.importer import read
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import HeldFrames, frames_of

LE = Machine()
OTHER = build_format("sched_switch", 8, ("char name[4]", 8, 4, 0), ("int next", 12, 4, 1))


def pages_of(starts: list[int], deltas: list[int]) -> bytes:
    """A page per start; its events alternate between two tracepoints."""
    made = b""
    for start in starts:
        events = []
        for n, delta in enumerate(deltas):
            record = LE.entry(start, n) if n % 2 else LE.record(8, 7, b"cat\0" + LE.pack("i", n))
            events.append(LE.event(record, delta))
        made += LE.page(start, *events)
    return made


def build(cpus: list[Cpu], compression: str = "none") -> bytes:
    instances = [Instance(cpus)]
    file = TraceDat(formats=[ENTRY, OTHER], instances=instances, compression=compression)
    return file.v7()


def reread(
    file: bytes, monkeypatch: pytest.MonkeyPatch, batch_events: int, blocks: int = 1 << 18
) -> Recording:
    """Read with batches of so many events and about so many blocks of pages, and nothing kept."""
    with monkeypatch.context() as patch:
        patch.setattr(survey, "BLOCKS", blocks)
        patch.setattr(event_stream, "BATCH_EVENTS", batch_events)
        patch.setattr(frames, "KEPT_EVENTS", 0)
        patch.setattr(frames, "BLOCK_ROWS", 3)
        return read("x", memoryview(file))


def in_batches(tracepoints: Any) -> dict[str, pl.DataFrame]:
    parts: dict[str, list[pl.DataFrame]] = {}
    for name, frame in tracepoints.batches():
        parts.setdefault(name, []).append(frame)
    return {name: pl.concat(own) for name, own in parts.items()}


def assert_same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> None:
    assert list(left) == list(right)
    for name, frame in left.items():
        assert frame.equals(right[name]), name


@settings(deadline=None, max_examples=60)
@given(
    starts=st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=6), min_size=1, max_size=4),
    deltas=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    batch_events=st.integers(1, 12),
    blocks=st.integers(1, 30),
    rising=st.booleans(),
)
def test_any_batches_give_the_same(
    starts: list[list[int]], deltas: list[int], batch_events: int, blocks: int, rising: bool
) -> None:
    cpus = [
        Cpu(n, pages_of(sorted(own) if rising else own, deltas)) for n, own in enumerate(starts)
    ]
    file = build(cpus)
    whole = read("x", memoryview(file))
    with pytest.MonkeyPatch.context() as patch:
        parted = reread(file, patch, batch_events, blocks)
    expected = dict(whole.tracepoints)
    assert_same(in_batches(parted.tracepoints), expected)
    assert_same(dict(parted.tracepoints), expected)
    assert_same(frames_of(parted.tracepoints).select(["kvm_entry", "nothing"]), {
        name: frame for name, frame in expected.items() if name == "kvm_entry"
    })  # fmt: skip
    assert frames_of(parted.tracepoints).span == HeldFrames(expected).span
    assert frames_of(parted.tracepoints).counts == HeldFrames(expected).counts


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Cpu(0, pages_of(list(range(0, 4000, 10)), [1, 1, 1, 1]))
    calm = Cpu(1, pages_of([0, 3900], [1, 1]))
    recording = reread(build([busy, calm]), monkeypatch, 64)
    made = recording.tracepoints
    assert isinstance(made, TraceFrames)
    sizes = [
        sum(len(g.places) for g in groups.values())
        for groups in made._stream.batches(made._stream.ids)
    ]
    assert sum(sizes) == 1604
    assert len(sizes) > 20
    assert max(sizes) <= 64 + 2 * 4


def test_field_losses_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    short = LE.event(LE.record(7, 1, LE.pack("I", 1)))
    cpu = Cpu(0, LE.page(1, short, LE.event(LE.entry(1, 1))) * 5)
    recording = reread(build([cpu]), monkeypatch, 2)
    assert recording.quality.counts == {}
    for _ in range(2):
        in_batches(recording.tracepoints)
        assert recording.tracepoints["kvm_entry"]["vcpu_pc"].null_count() == 5
        assert recording.quality.counts == {"trace_damaged_fields": 5}


def test_mapping_of_absent_names() -> None:
    tracepoints = read("x", memoryview(build([Cpu(0, pages_of([1], [1, 1]))]))).tracepoints
    assert "nothing" not in tracepoints
    assert tracepoints.get("nothing") is None
    assert list(tracepoints) == ["kvm_entry", "sched_switch"]
    assert frames_of(tracepoints).empty("kvm_entry").schema == tracepoints["kvm_entry"].schema


@pytest.mark.parametrize("compression", ["zlib", "zstd"])
def test_pages_that_go_to_a_file_are_the_same(
    monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    file = build([Cpu(n, pages_of([1, 50, 90], [1, 2])) for n in range(2)], compression)
    expected = dict(read("x", memoryview(file)).tracepoints)
    monkeypatch.setattr(pages, "_MEMORY_BYTES", PAGE)
    recording = read("x", memoryview(file))
    assert_same(dict(recording.tracepoints), expected)
    assert_same(in_batches(recording.tracepoints), expected)


def test_many_streams_are_merged_as_a_plain_merge_would(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(5)
    cpus, expected = [], []
    for cpu in range(9):
        starts = np.sort(draw.integers(0, 5000, 20)).tolist()
        cpus.append(Cpu(cpu, pages_of(starts, [1, 3, 2])))
        times = [start + at for start in starts for at in (1, 4, 6)]
        highest = np.maximum.accumulate(times).tolist()
        expected += [
            (key, cpu, n, time) for n, (key, time) in enumerate(zip(highest, times, strict=True))
        ]
    recording = reread(build(cpus), monkeypatch, 50)
    both = pl.concat(f.select("index", "time_ns", "cpu") for f in recording.tracepoints.values())
    got = both.sort("index").select("time_ns", "cpu").rows()
    assert got == [(time, cpu) for _key, cpu, _n, time in sorted(expected)]
