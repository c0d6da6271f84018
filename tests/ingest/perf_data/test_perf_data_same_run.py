"""One run recorded by perf and by trace-cmd at once: the same events, the same replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from spetrace.ingest.importer import read_recording
from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.tables.recording import Recording

FOLDERS = ("13-baremetal-known", "16-baremetal-known-nonuma")
RUNS = pytest.mark.parametrize("folder", FOLDERS)
OF_GUEST_TIME = [
    "records", "captured", "discarded", "lost_stopped", "stopped_ns", "overhead_ns", "stage1_walks",
    "pins", "unpins", "pinned_byte_ns", "bytes_copied",
]  # fmt: skip
"""What follows from how long the guest ran: each tracer reads the clock for itself."""


def both(shared: Path, folder: str) -> tuple[Recording, Recording]:
    run = shared / "captures" / "kvm" / folder
    return read_recording(run / "both.data"), read_recording(run / "both.dat")


@RUNS
def test_tables_are_those_of_trace_dat(shared: Path, folder: str) -> None:
    perf, ftrace = both(shared, folder)
    assert set(perf.tracepoints) == set(ftrace.tracepoints)
    assert perf.clock == ftrace.clock == "mono"
    for name, theirs in ftrace.tracepoints.items():
        ours = perf.tracepoints[name]
        assert ours.schema == theirs.schema
        assert ours.drop("time_ns", "tgid").equals(theirs.drop("time_ns", "tgid"), null_equal=True)
        later = ours["time_ns"] - theirs["time_ns"]
        assert later.is_between(0, 1_000_000).all()
        assert ours["tgid"].null_count() == 0


def results(recording: Recording, stage2_from: str | None) -> pl.DataFrame:
    load = AssumedSpe(period_ns=50_000)
    session = assemble([recording], SessionOptions(assume_spe=load, stage2_from=stage2_from))
    run = replay(session.events, Parameters().updated(session.parameters))
    frame = pl.from_arrow(run.results)
    assert isinstance(frame, pl.DataFrame)
    return frame


@RUNS
@pytest.mark.parametrize("stage2_from", [None, "tracepoints"])
def test_replay_is_that_of_trace_dat(shared: Path, folder: str, stage2_from: str | None) -> None:
    perf, ftrace = both(shared, folder)
    ours, theirs = results(perf, stage2_from), results(ftrace, stage2_from)
    assert ours.drop(OF_GUEST_TIME).equals(theirs.drop(OF_GUEST_TIME), null_equal=True)
    assert ((ours["records"] - theirs["records"]).abs() < theirs["records"] / 1000).all()
    at_perfs_times = {
        name: frame.with_columns(perf.tracepoints[name]["time_ns"])
        for name, frame in ftrace.tracepoints.items()
    }
    retimed = results(replace(ftrace, tracepoints=at_perfs_times), stage2_from)
    assert ours.equals(retimed, null_equal=True)
