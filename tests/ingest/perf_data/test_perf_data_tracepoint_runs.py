"""Samples of a long recording: in runs that are spilled, merged in order of time."""

from __future__ import annotations

import tempfile
from functools import partial
from itertools import accumulate, chain
from pathlib import Path

import numpy as np
import pytest
from builders_perf_tracepoints import NOTE_EVENT, entry, note, sample, traced
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.perf_data.reading import read_bytes
from ingest.perf_data.test_perf_data_tracepoint_files import PC, compressed, compressed_record

from spetrace.errors import InputError
from spetrace.ingest.perf_data import (
    framing,
    tracepoint_bytes,
    tracepoint_runs,
    tracepoint_samples,
    tracepoint_spill,
)
from spetrace.ingest.perf_data.tracepoint_bytes import near_bytes
from spetrace.ingest.perf_data.tracepoint_runs import ROW, SampleRuns
from spetrace.ingest.perf_data.tracepoint_spill import Spill
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of

RUN, STEP = 16, 4


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is held, and runs are short."""
    monkeypatch.setattr(framing, "_BLOCK_RECORDS", 10)
    monkeypatch.setattr(tracepoint_samples, "RUN_ROWS", RUN)
    monkeypatch.setattr(tracepoint_runs, "RUN_ROWS", RUN)
    monkeypatch.setattr(tracepoint_runs, "STEP_ROWS", STEP)
    monkeypatch.setattr(tracepoint_spill, "HELD_BYTES", 700)
    monkeypatch.setattr(tracepoint_bytes, "WINDOW_BYTES", 1000)


def rows_at(times: list[int], first: int) -> np.ndarray:
    rows = np.zeros(len(times), ROW)
    rows["time_ns"], rows["starts"] = times, np.arange(first, first + len(times))
    return rows


@settings(deadline=None, max_examples=100)
@given(runs=st.lists(st.lists(st.integers(-1, 12), min_size=1, max_size=40), max_size=12))
def test_stretches_are_all_samples_in_order_and_short(runs: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracepoint_runs, "RUN_ROWS", RUN)
        patch.setattr(tracepoint_runs, "STEP_ROWS", STEP)
        merged = SampleRuns()
        for first, times in zip(accumulate(map(len, runs), initial=0), runs, strict=False):
            merged.add(rows_at(times, first))
        stretches = [rows[["time_ns", "starts"]].tolist() for rows in merged.stretches()]
    plain = [(time, at) for at, time in enumerate(time for times in runs for time in times)]
    assert list(chain(*stretches)) == sorted(plain)
    assert all(len(stretch) <= RUN + STEP * len(runs) for stretch in stretches)


TIMES = np.random.default_rng(7).permutation(200) // 3 + 5


def recording_of(kind: str) -> Recording:
    """400 events in 200 turns of one time; in compressed records or in the file, or in both."""
    file = traced()
    for n, time in enumerate(TIMES.tolist()):
        file.records.append(sample(file, entry(file, PC + n), time=time, cpu=n % 3))
        file.records.append(sample(file, note(file, f"n{n}", n), id_=NOTE_EVENT, time=time))
    if kind == "both":
        rest, file.records = file.records[130:], file.records[:130]
        held = traced()
        held.records = rest
        file.records.append(compressed_record(held))
    return read_bytes(compressed(file) if kind == "compressed" else file.build())


@pytest.mark.parametrize("kind", ["file", "compressed", "both"])
def test_frames_of_many_runs_are_in_order_of_time(small: None, kind: str) -> None:
    recording = recording_of(kind)
    order = np.argsort(TIMES, kind="stable")
    entries, notes = (recording.tracepoints[name] for name in ("kvm_entry", "note"))
    assert entries["vcpu_pc"].to_list() == [PC + n for n in order.tolist()]
    assert entries["time_ns"].to_list() == notes["time_ns"].to_list() == TIMES[order].tolist()
    assert entries["cpu"].to_list() == (order % 3).tolist()
    assert notes["text"].to_list() == [f"n{n}" for n in order.tolist()]
    assert notes["level"].to_list() == order.tolist()
    both = sorted((TIMES[n // 2], n, n % 2) for n in range(400))
    places = [[place for place, (_, _, which) in enumerate(both) if which == w] for w in (0, 1)]
    assert [f["index"].to_list() for f in (entries, notes)] == places
    frames = frames_of(recording.tracepoints)
    assert frames.span == (5, 71)
    assert frames.counts == {"kvm_entry": 200, "note": 200}
    assert recording.quality.counts == {}


@pytest.mark.parametrize("kind", ["file", "compressed"])
def test_stretches_follow_each_other(small: None, kind: str) -> None:
    frames = frames_of(recording_of(kind).tracepoints)
    stretches = list(frames.stretches(["kvm_entry", "note", "nothing"]))
    assert len(stretches) > 5
    places = [sorted(p for f in s.values() for p in f["index"].to_list()) for s in stretches]
    assert list(chain(*places)) == list(range(400))
    alone = [s["note"]["index"].to_list() for s in frames.stretches(["note"]) if s]
    together = [s["note"]["index"].to_list() for s in stretches if "note" in s]
    assert list(chain(*alone)) == list(chain(*together))
    assert frames.empty("note").schema == stretches[0]["note"].schema
    assert list(frames.stretches(["nothing"])) == []


@pytest.mark.parametrize("held", [0, 8, 1 << 20])
def test_spill_gives_what_was_written(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(tracepoint_spill, "HELD_BYTES", held)
    spill = Spill()
    assert spill.mapped().tobytes() == b""
    assert [spill.write(np.full(3, n, np.uint16)) for n in (1, 2)] == [0, 6]
    assert spill.write(np.frombuffer(b"xy", np.uint8), 4) == 4
    assert spill.read(2, 6) == b"\1\0xy\2\0"
    assert spill.mapped().tobytes() == b"\1\0\1\0xy\2\0\2\0\2\0"
    assert spill.size == 12


REFUSED = r"perf\.data samples.*can't be kept in"


def test_no_folder_for_samples_is_an_input_error(
    small: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(InputError, match=REFUSED):
        recording_of("file")


def test_no_room_for_samples_is_an_input_error(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = partial(open, "/dev/full", "r+b")
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(InputError, match=REFUSED + ".*No space left"):
        recording_of("file")


@settings(deadline=None, max_examples=50)
@given(places=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 5)), max_size=20))
def test_near_bytes_are_those_of_the_places(places: list[tuple[int, int]]) -> None:
    data = np.arange(256, dtype=np.uint8)
    starts = np.array([start for start, _ in places], np.int64)
    lengths = np.array([length for _, length in places], np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracepoint_bytes, "WINDOW_BYTES", 50)
        near, moved = near_bytes(data, starts, lengths)
    found = [near[at : at + n].tolist() for at, n in zip(moved, lengths, strict=True)]
    assert found == [list(range(start, start + length)) for start, length in places]
