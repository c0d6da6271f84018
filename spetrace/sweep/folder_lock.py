"""One sweep at a time in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spetrace.errors import OutputError, UsageError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make `folder` where it is missing, and keep other sweeps out of it until the block ends.

    The lock ends with the process, however that ends. Raises UsageError where another holds it,
    OutputError where the folder can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"{folder.parent}: another sweep is at work in it") from error
        yield
