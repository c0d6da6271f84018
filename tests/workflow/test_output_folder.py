from __future__ import annotations

from pathlib import Path

import pytest

from spetrace.errors import OutputError, UsageError
from spetrace.workflow.output_folder import check_owner, output_folder


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def write_and_fail(target: Path, error: BaseException) -> None:
    with output_folder(target, ["one"]) as staging:
        (staging / "one").write_text("after")
        raise error


def test_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with output_folder(target) as staging:
        (staging / "one").write_text("1")
        (staging / "sub").mkdir()
        (staging / "sub" / "two").write_text("2")
        assert not target.exists()
    assert names(tmp_path) == ["a", "a/b", "a/b/one", "a/b/sub", "a/b/sub/two"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write_and_fail(tmp_path / "a" / "b", error())
    assert names(tmp_path) == []


def test_failure_leaves_an_earlier_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("before")
    with pytest.raises(ValueError, match="no"):
        write_and_fail(tmp_path, ValueError("no"))
    assert names(tmp_path) == ["one"]
    assert (tmp_path / "one").read_text() == "before"


def test_earlier_folder_keeps_what_is_not_owned(tmp_path: Path) -> None:
    for name in ("mine", "theirs", "stale"):
        (tmp_path / name).write_text("before")
    (tmp_path / "tracepoints").mkdir()
    (tmp_path / "tracepoints" / "old").write_text("before")
    with output_folder(tmp_path, ["mine", "stale", "tracepoints"]) as staging:
        (staging / "mine").write_text("after")
        (staging / "tracepoints").mkdir()
        (staging / "tracepoints" / "new").write_text("after")
    assert names(tmp_path) == ["mine", "theirs", "tracepoints", "tracepoints/new"]
    assert (tmp_path / "mine").read_text() == "after"
    assert (tmp_path / "theirs").read_text() == "before"


def test_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="file"), output_folder(target):
            raise AssertionError("not reached")
    assert names(tmp_path) == ["file"]


def test_error_of_the_system_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="out: can't be written: No space left"):
        write_and_fail(tmp_path / "out", OSError(28, "No space left on device"))
    assert names(tmp_path) == []


FILES = ("results.parquet", "sweep.json", "session.json")


@pytest.mark.parametrize("own", FILES)
def test_folder_of_another_command_is_refused(tmp_path: Path, own: str) -> None:
    check_owner(tmp_path, own)
    (tmp_path / own).write_text("before")
    check_owner(tmp_path, own)
    (tmp_path / own).unlink()
    for other in FILES:
        if other != own:
            (tmp_path / other).write_text("")
            with pytest.raises(UsageError, match="give another folder"):
                check_owner(tmp_path, own)
            (tmp_path / other).unlink()
