"""Sweeps that are killed or interrupted, in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli.command import start
from sweeps import COUNTING_STRATEGY, EVENT_LOG, journal_of, rows_of

RUNS = 60
JOBS = 2


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line of a sweep of 60 runs that each note themselves."""
    (tmp_path / "counting.py").write_text(COUNTING_STRATEGY)
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    monkeypatch.setenv("SECONDS", "0.03")
    costs = ",".join(map(str, range(RUNS // 2)))
    return [
        "sweep", str(EVENT_LOG), "--set", f"costs.irq_ns={costs}", "--set", "keep_ns=5,none",
        "--strategy", "map-on-fault", "--strategy-file", str(tmp_path / "counting.py"),
        "--jobs", str(JOBS),
    ]  # fmt: skip


def sweep(words: list[str], folder: Path) -> subprocess.Popen[str]:
    return start(*words, "-o", folder, start_new_session=True)


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a sweep that has no reason to fail."""
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err


def until_kept(folder: Path, runs: int) -> None:
    """Wait until so many runs are kept."""
    journal = folder / "cache" / "runs.jsonl"
    end = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b"\n") < runs:
        assert time.monotonic() < end, "no run in a minute"
        time.sleep(0.01)


def counted(tmp_path: Path) -> int:
    return len((tmp_path / "counted").read_text().splitlines())


def processes_of(session: int) -> list[str]:
    """The processes that a command started, zombies apart."""
    listed = subprocess.run(["ps", "-eo", "sid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [state for sid, state in rows if int(sid) == session and not state.startswith("Z")]


def until_gone(session: int) -> None:
    """Wait until the sweep's workers have seen that it ended."""
    end = time.monotonic() + 20
    while processes_of(session):
        assert time.monotonic() < end, "workers outlive the sweep"
        time.sleep(0.05)


def test_killed_sweep_goes_on_where_it_stopped(words: list[str], tmp_path: Path) -> None:
    finish(sweep(words, tmp_path / "a"))
    assert counted(tmp_path) == RUNS
    (tmp_path / "counted").unlink()

    killed = sweep(words, tmp_path / "b")
    until_kept(tmp_path / "b", RUNS // 3)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    until_gone(killed.pid)
    kept = {entry["run"] for entry in journal_of(tmp_path / "b")}
    assert RUNS // 3 <= len(kept) < RUNS
    assert not (tmp_path / "b" / "runs.parquet").exists()

    finish(sweep(words, tmp_path / "b"))
    assert rows_of(tmp_path / "b").equals(rows_of(tmp_path / "a"))
    entries = [entry["run"] for entry in journal_of(tmp_path / "b")]
    assert len(entries) == len(set(entries)) == RUNS
    assert counted(tmp_path) <= RUNS + JOBS, "more than what was in flight was computed twice"


def test_ctrl_c_ends_in_a_sentence_and_keeps_what_is_done(words: list[str], tmp_path: Path) -> None:
    process = sweep(words, tmp_path / "a")
    until_kept(tmp_path / "a", 5)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert 5 <= len(journal_of(tmp_path / "a")) < RUNS
    until_gone(process.pid)
