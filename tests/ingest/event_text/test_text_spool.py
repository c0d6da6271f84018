from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from text_logs import read_text

from spetrace.errors import InputError
from spetrace.ingest.event_text import chunks, spool, tables
from spetrace.ingest.event_text.spooled_frames import SpooledFrames
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import HeldFrames, frames_of

PROBE = "     kvm-vcpu-0-566   [000]   165.{:06d}: probe: ({}) a={} b={}\n"
ENTRY = "     kvm-vcpu-0-566   [001]   165.{:06d}: kvm_entry: PC: 0xffff{:04x}\n"
TEXT = "".join(
    PROBE.format(2 * n, "s2_map+0x0/0x10", n, f"0x{n:x}" if n < 90 else "none")
    + ENTRY.format(2 * n + 1, n)
    for n in range(100)
)


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> Recording:
    """TEXT, read with few events held."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 600)
    monkeypatch.setattr(tables, "_HELD_EVENTS", 20)
    monkeypatch.setattr(tables, "_STRETCH_EVENTS", 16)
    return read_text(TEXT)


def test_spooled_text_gives_the_same_frames(spooled: Recording) -> None:
    held = dict(spooled.tracepoints)
    assert isinstance(spooled.tracepoints, SpooledFrames)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_HELD_EVENTS", 1 << 20)
        whole = read_text(TEXT)
    assert isinstance(whole.tracepoints, dict)
    assert list(held) == list(whole.tracepoints) == ["kvm_entry", "probe"]
    for name, frame in whole.tracepoints.items():
        assert frame.equals(held[name]), name
        assert frame.schema == spooled.tracepoints.empty(name).schema
    assert spooled.quality == whole.quality
    assert spooled.tracepoints.counts == {"kvm_entry": 100, "probe": 100}
    assert spooled.tracepoints.span == HeldFrames(whole.tracepoints).span
    assert held["probe"]["b"].to_list()[88:91] == ["0x58", "0x59", "none"]


def test_stretches_follow_each_other(spooled: Recording) -> None:
    frames = frames_of(spooled.tracepoints)
    stretches = list(frames.stretches(["probe", "kvm_entry", "nothing"]))
    assert len(stretches) > 5
    bounds = [
        (min(f["index"][0] for f in s.values()), max(f["index"][-1] for f in s.values()))
        for s in stretches
        if s
    ]
    assert all(last < first for (_, last), (first, _) in pairwise(bounds))
    only = pl.concat(s["probe"] for s in frames.stretches(["probe"]) if s)
    assert only.equals(spooled.tracepoints["probe"])
    assert sum(len(frame) for _name, frame in frames.batches()) == 200


def test_times_since_the_event_before_are_summed_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0, 5, 3, *range(1, 40)]
    text = "".join(
        f"kvm-vcpu-0 566/566 [000] 0.{t:06d}: kvm:kvm_entry: PC: 0xffff{t:04x}\n" for t in times
    )
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 400)
    whole = read_text(text)
    monkeypatch.setattr(tables, "_HELD_EVENTS", 8)
    parted = read_text(text)
    assert isinstance(parted.tracepoints, SpooledFrames)
    assert parted.tracepoints["kvm_entry"].equals(whole.tracepoints["kvm_entry"])
    assert parted.tracepoints["kvm_entry"]["time_ns"][-1] == 1000 * sum(times)
    assert parted.tracepoints.span == (0, 1000 * sum(times))


def test_no_room_for_the_spool_is_an_input_error(
    monkeypatch: pytest.MonkeyPatch, spooled: Recording
) -> None:
    class Full:
        def __init__(self, buffering: int) -> None:
            assert buffering == 0, "what is in a buffer can't be written when the file is closed"

        def close(self) -> None:
            pass

        def seek(self, _place: int) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", Full)
    with pytest.raises(InputError, match=r"can't be kept in .*: No space left on device"):
        read_text(TEXT)
