from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from cli.command import SAMPLES, Command

EVENTS = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"


@pytest.fixture
def results(spetrace: Command, tmp_path: Path) -> Path:
    """Results in a folder called first."""
    assert spetrace("replay", EVENTS, "-o", tmp_path / "first").code == 0
    return tmp_path / "first"


def test_results_become_captures(spetrace: Command, results: Path, tmp_path: Path) -> None:
    words = (results, f"again={results}", "-o", tmp_path / "ds")
    result = spetrace("collect", *words)
    assert result.code == 0, result.err
    own, again = result.out.splitlines()
    assert own.startswith("first: ")
    assert own.removeprefix("first") == again.removeprefix("again")
    frame = pl.read_parquet(tmp_path / "ds" / "results", hive_partitioning=True)
    assert set(frame["capture"]) == {"first", "again"}
    assert spetrace("collect", *words).out == "first: unchanged\nagain: unchanged\n"


def test_folder_with_an_equals_sign_is_a_folder(
    spetrace: Command, results: Path, tmp_path: Path
) -> None:
    results.rename(tmp_path / "a=b")
    result = spetrace("collect", f"name={tmp_path / 'a=b'}", "-o", tmp_path / "ds")
    assert result.code == 0, result.err
    result = spetrace("collect", tmp_path / "a=b", "-o", tmp_path / "ds")
    assert (result.code, "capture 'a=b'" in result.err) == (2, True)


def test_same_name_twice_is_a_usage_error(spetrace: Command, results: Path, tmp_path: Path) -> None:
    result = spetrace("collect", results, results, "-o", tmp_path / "ds")
    assert result.code == 2
    assert "use NAME=DIR" in result.err
    assert not (tmp_path / "ds").exists()


def test_what_is_no_results_folder_is_an_input_error(spetrace: Command, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    result = spetrace("collect", tmp_path / "other", "-o", tmp_path / "ds")
    assert result.code == 3
    assert result.err.count("\n") == 1
    assert not (tmp_path / "ds").exists()


def test_results_folder_is_no_dataset(spetrace: Command, results: Path) -> None:
    before = sorted(results.iterdir())
    result = spetrace("collect", results, "-o", results)
    assert (result.code, "a dataset needs its own folder" in result.err) == (2, True)
    assert sorted(results.iterdir()) == before


def test_session_folder_and_none_are_told_what_is_wanted(spetrace: Command, tmp_path: Path) -> None:
    assert spetrace("ingest", EVENTS, "-o", tmp_path / "session").code == 0
    result = spetrace("collect", tmp_path / "session", "-o", tmp_path / "ds")
    assert (result.code, "folder that spetrace replay -o wrote" in result.err) == (3, True)
    result = spetrace("collect", tmp_path / "missing", "-o", tmp_path / "ds")
    assert (result.code, "missing: results folder: there is none" in result.err) == (3, True)


def test_commands_do_not_write_over_each_others_folders(
    spetrace: Command, results: Path, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    assert spetrace("ingest", EVENTS, "-o", session).code == 0
    for words, held in (
        (("replay", EVENTS, "-o", session), "a session of spetrace ingest"),
        (("ingest", EVENTS, "-o", results), "results of spetrace replay"),
        (("sweep", EVENTS, "-o", results), "results of spetrace replay"),
    ):
        result = spetrace(*words)
        assert (result.code, f"holds {held}: give another" in result.err) == (2, True), words
    assert spetrace("replay", session, "-o", results).code == 0
    assert spetrace("ingest", EVENTS, "-o", session).code == 0
