"""What becomes of hidden folders that hold what is not whole yet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from processes import ended_process

from spetrace.report.folder_lock import holding, is_held
from spetrace.report.staging import staging_folder


def test_folder_is_gone_after_the_block_unless_it_was_renamed(tmp_path: Path) -> None:
    with staging_folder(tmp_path, ".out.", ".part") as staging:
        assert staging.name == f".out.{os.getpid()}.part"
        assert is_held(staging)
    assert list(tmp_path.iterdir()) == []
    with staging_folder(tmp_path, ".out.", ".part") as staging:
        staging.rename(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    dead, alive = ended_process(), os.getppid()
    removed = [f".out.{dead}.part", f".out.{os.getpid()}.part"]
    kept = [
        f".out.{alive}.part",
        f".other.{dead}.part",
        f".out.{dead}",
        ".out.0.part",
        ".out.x.part",
    ]
    for name in (*removed, *kept):
        (tmp_path / name / "sub").mkdir(parents=True)
    (tmp_path / f".out.{dead + 1}.part").symlink_to(tmp_path / kept[0])
    with staging_folder(tmp_path, ".out.", ".part"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {*kept, f".out.{dead + 1}.part"}


def test_folder_that_is_held_stays(tmp_path: Path) -> None:
    """As by a process of another machine or container, whose number means nothing here."""
    left = tmp_path / f".out.{ended_process()}.part"
    left.mkdir()
    with holding(left), staging_folder(tmp_path, ".out.", ".part"):
        assert left.exists()
    with staging_folder(tmp_path, ".out.", ".part"):
        assert not left.exists()


def test_folder_that_another_thread_has_is_not_taken(tmp_path: Path) -> None:
    with staging_folder(tmp_path, ".out.") as staging:
        with pytest.raises(FileExistsError), staging_folder(tmp_path, ".out."):
            pass
        assert staging.exists()
