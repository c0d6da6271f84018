from __future__ import annotations

from pathlib import Path

import pytest

from spetrace.errors import OutputError, UsageError
from spetrace.sweep.dataset import done_runs
from spetrace.sweep.folder_lock import locked
from spetrace.sweep.journal import Journal, read_journal

ENTRY = {"run": "a", "strategies": {"x": {"version": "1", "rows": []}}}


def test_entries_are_read_back_in_their_order(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.append(ENTRY)
        journal.append(ENTRY | {"run": "b"})
    assert [entry["run"] for entry in read_journal(tmp_path / "j")] == ["a", "b"]
    assert done_runs(read_journal(tmp_path / "j")) == {"a": {"x": "1"}, "b": {"x": "1"}}


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_line_that_was_cut_is_no_run_and_no_harm_to_the_next(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.append(ENTRY)
        journal.append(ENTRY | {"run": "b"})
    path.write_bytes(path.read_bytes()[:-cut])
    assert [entry["run"] for entry in read_journal(path)] == ["a"]
    with Journal(path) as journal:
        journal.append(ENTRY | {"run": "c"})
    assert [e["run"] for e in read_journal(path)][-1] == "c"
    assert "a" in done_runs(read_journal(path))


def test_what_is_no_entry_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b'\xff\n[]\n{"run": 3}\n\n{"run": "a"}\n' + b"0" * 5000 + b"\n")
    assert list(read_journal(tmp_path / "j")) == []
    assert list(read_journal(tmp_path / "none")) == []


def test_journal_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        Journal(tmp_path)


def test_folder_takes_one_sweep_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "s" / "cache"
    with (
        locked(folder),
        pytest.raises(UsageError, match="another sweep is at work"),
        locked(folder),
    ):
        pass
    with locked(folder):
        pass
