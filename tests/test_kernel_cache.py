"""Where compiled kernels are kept, for a user who can't write beside the package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spetrace import kernel_cache


@pytest.fixture
def no_variable(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv(kernel_cache.VARIABLE, "restored to what it was at the end")
    monkeypatch.delenv(kernel_cache.VARIABLE)
    return monkeypatch


def test_folder_that_can_be_written_is_left_to_numba(no_variable: pytest.MonkeyPatch) -> None:
    no_variable.setattr(kernel_cache, "_writable", lambda folder: folder.name == "numba")
    kernel_cache.choose_kernel_cache()
    assert kernel_cache.VARIABLE not in os.environ


def test_what_the_user_set_wins(no_variable: pytest.MonkeyPatch) -> None:
    no_variable.setenv(kernel_cache.VARIABLE, "mine")
    no_variable.setattr(kernel_cache, "_writable", lambda _folder: False)
    kernel_cache.choose_kernel_cache()
    assert os.environ[kernel_cache.VARIABLE] == "mine"


def test_temporary_folder_where_nothing_can_be_written(
    no_variable: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_variable.setattr(kernel_cache, "_writable", lambda _folder: False)
    no_variable.setattr(kernel_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    kernel_cache.choose_kernel_cache()
    folder = Path(os.environ[kernel_cache.VARIABLE])
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700


def test_temporary_folder_of_somebody_else_is_not_used(
    no_variable: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_variable.setattr(kernel_cache, "_writable", lambda _folder: False)
    no_variable.setattr(kernel_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    taken = tmp_path / f"spetrace-kernels-{os.getuid()}"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)
    kernel_cache.choose_kernel_cache()
    assert Path(os.environ[kernel_cache.VARIABLE]) != taken


def test_folder_is_writable_if_it_is_or_can_be_made(tmp_path: Path) -> None:
    assert kernel_cache._writable(tmp_path / "a" / "b")
    file = tmp_path / "file"
    file.write_text("")
    assert not kernel_cache._writable(file / "below")
