"""Hidden folders that hold what is not whole yet, and the end of those that a kill left behind."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spetrace.report.folder_lock import holding, is_held


@contextmanager
def staging_folder(place: Path, before: str, after: str = "") -> Iterator[Path]:
    """A new folder in `place` that is gone after the block, unless it was renamed.

    Its name is this process's number between `before` and `after`. Folders of that name whose process
    was killed are removed first: nobody holds them, and no process has their number.
    """
    for left in _left_behind(place, before, after):
        shutil.rmtree(left, ignore_errors=True)
    staging = place / f"{before}{os.getpid()}{after}"
    staging.mkdir()
    try:
        with holding(staging):
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _left_behind(place: Path, before: str, after: str) -> list[Path]:
    name = re.compile(rf"{re.escape(before)}([1-9][0-9]{{0,8}}){re.escape(after)}")
    try:
        entries = [(entry, name.fullmatch(entry.name)) for entry in os.scandir(place)]
    except OSError:
        return []
    found = [
        Path(entry.path)
        for entry, match in entries
        if match and entry.is_dir(follow_symlinks=False) and not _is_alive(int(match[1]))
    ]
    return [folder for folder in found if not is_held(folder)]


def _is_alive(process: int) -> bool:
    """Whether there is another process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()
