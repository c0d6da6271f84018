"""The user's folder of sessions that were fetched for sweeps: found, and kept from growing for ever."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

DAYS_KEPT: Final = 30
BYTES_KEPT: Final = 16 << 30
_DAY_S: Final = 86_400


def user_cache() -> Path:
    """The folder of fetched sessions: the user's alone, since what is in it is believed."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME")
    folder = Path(home) if home else Path(tempfile.gettempdir())
    own = folder / ("" if os.environ.get("XDG_CACHE_HOME") else ".cache") / "spetrace" / "sweep"
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    return own


def mark_used(session: Path) -> None:
    """Note that a session of the cache is used now."""
    with suppress(OSError):
        os.utime(session)


def make_room(cache: Path, newest: Path, bytes_kept: int = BYTES_KEPT) -> None:
    """Remove what was not used for 30 days, and beyond `bytes_kept` what was not used for longest.

    `newest` stays in any case. Processes that have a removed session mapped keep its pages.
    """
    oldest = time.time() - DAYS_KEPT * _DAY_S
    held = 0
    for used, folder in sorted(_entries(cache, newest), reverse=True):
        if used >= oldest and not folder.name.startswith("."):
            held += _size(folder)
        if used < oldest or held + _size(newest) > bytes_kept:
            _remove(folder)


def _entries(cache: Path, newest: Path) -> list[tuple[float, Path]]:
    """The sessions, and what killed processes left of some, with the time of their last use."""
    found = []
    for folder in cache.iterdir():
        with suppress(OSError):
            if folder != newest:
                found.append((folder.stat().st_mtime, folder))
    return found


def _size(folder: Path) -> int:
    size = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            size += file.stat().st_size
    return size


def _remove(folder: Path) -> None:
    """Take a session away at once, so that nobody finds a part of it."""
    gone = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    with suppress(OSError):
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
