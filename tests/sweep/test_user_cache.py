"""What of the fetched sessions stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from spetrace.sweep.locations import local_session
from spetrace.sweep.prepared import DESCRIPTION, FILES
from spetrace.sweep.user_cache import make_room, mark_used, user_cache

DAY_S = 86_400


def session(cache: Path, name: str, days: float, size: int = 1000) -> Path:
    """A session that was last used so many days ago."""
    folder = cache / name
    folder.mkdir()
    (folder / "streams.arrow").write_bytes(bytes(size))
    used = time.time() - days * DAY_S
    os.utime(folder, (used, used))
    return folder


def names(cache: Path) -> set[str]:
    return {folder.name for folder in cache.iterdir()}


def test_sessions_not_used_for_a_month_are_removed(tmp_path: Path) -> None:
    for name, days in (("old", 31), (".half.0.part", 31), ("used", 29), (".now.0.part", 1)):
        session(tmp_path, name, days)
    mark_used(session(tmp_path, "again", 50))
    make_room(tmp_path, session(tmp_path, "new", 0))
    assert names(tmp_path) == {"used", ".now.0.part", "again", "new"}


def test_beyond_the_limit_the_latest_stay(tmp_path: Path) -> None:
    for days in range(1, 6):
        session(tmp_path, f"s{days}", days)
    make_room(tmp_path, session(tmp_path, "new", 0), 3500)
    assert names(tmp_path) == {"new", "s1", "s2"}
    make_room(tmp_path, session(tmp_path, "large", 0, 10_000), 3500)
    assert names(tmp_path) == {"large"}


def test_session_that_is_fetched_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    session(user_cache(), "old", 31)
    store = tmp_path / "store"
    store.mkdir()
    for name in FILES:
        (store / name).write_text("")
    kept = Path(local_session(store.as_uri(), "key"))
    assert kept == user_cache() / "key"
    assert names(user_cache()) == {"key"}
    os.utime(kept, (0, 0))
    assert local_session(store.as_uri(), "key") == str(kept)
    assert (kept / DESCRIPTION).is_file()
    assert kept.stat().st_mtime > time.time() - DAY_S
