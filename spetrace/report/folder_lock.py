"""Locks on folders that end with their process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Keep others from `holding` the folder until the block ends; waits for one that does.

    Where the file system has no locks on folders, there is none. Raises OSError where the folder
    can't be opened.
    """
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def is_held(folder: Path) -> bool:
    """Whether a process holds the folder, or that can't be told."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(place)
