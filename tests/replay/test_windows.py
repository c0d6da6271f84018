"""A log cut into windows anywhere gives the run of the whole."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_logs import logs
from test_engine_equals_plain_walk import events_table
from test_scenarios import LOGS

from spetrace.errors import OutputError
from spetrace.ingest.importer import read_recording
from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.tables.run import Run

TABLES = ("results", "blackouts", "aborts", "pinned", "outcomes")


def differing(run: Run, other: Run) -> list[str]:
    return [name for name in TABLES if getattr(run, name) != getattr(other, name)]


WINDOWS = 40
"""So many at most, as each takes some milliseconds."""


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(logs(acts=8), st.sampled_from([1, 2, 3, 7, 20, 64]))
def test_random_logs_in_windows(log: tuple[dict, list[dict]], size: int) -> None:
    session, events = log
    parameters = Parameters().updated(session)
    table = events_table(events)
    whole = replay(table, parameters, outcomes=True)
    assert whole.outcomes is not None
    size = max(size, len(table) // WINDOWS)
    cut = replay(iter(table.to_batches(5)), parameters, outcomes=True, window_events=size)
    assert differing(whole, cut) == []
    assert whole.session == cut.session


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
@pytest.mark.parametrize("windows", [WINDOWS, 7])
def test_scenarios_in_windows(log, windows: int) -> None:
    recording = read_recording(log)
    assert recording.events is not None
    parameters = Parameters().updated(recording.parameters)
    whole = replay(recording.events, parameters, outcomes=True)
    size = -(-len(recording.events) // windows)
    cut = replay(recording.events, parameters, outcomes=True, window_events=size)
    assert differing(whole, cut) == []


@pytest.mark.parametrize("limit", ["no folder", "no room"])
@pytest.mark.parametrize("outcomes", [False, True])
def test_no_room_for_a_long_log_is_a_sentence(
    limit: str, outcomes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = read_recording(LOGS[0]).events
    assert events is not None
    monkeypatch.setattr(
        tempfile, "tempdir", str(tmp_path if limit == "no room" else tmp_path / "x")
    )
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 10, allowed[1]))
    try:
        with pytest.raises(OutputError, match="can't keep the event log"):
            replay(events, Parameters(), window_events=1, outcomes=outcomes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
