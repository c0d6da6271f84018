"""Temporary files for what is too long to be held in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

import numpy as np
import numpy.typing as npt

from spetrace.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

Bytes = npt.NDArray[np.uint8]


class NamelessFile(FileIO):
    """A file in the system's temporary folder whose space is free again once it is closed."""

    def __init__(self) -> None:
        fd, path = tempfile.mkstemp()
        Path(path).unlink()
        super().__init__(fd, "r+b")

    def write(self, data: Buffer, /) -> int:
        """Write all bytes: the system may take fewer at a time."""
        left = memoryview(data).cast("B")
        size = len(left)
        while len(left):
            left = left[super().write(left) :]
        return size


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """What the system refuses as an OutputError that says `what` it was for."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        raise OutputError(f"{tempfile.gettempdir()}: can't keep {what}: {cause}") from error


class TemporaryBytes:
    """Bytes in a file that has no name; its space is free with the last reference to this."""

    def __init__(self, what: str) -> None:
        self._what = what
        with room_for(what):
            file = NamelessFile()
        finalize(self, file.close)
        self._fd = file.fileno()

    def write(self, place: int, data: Bytes) -> None:
        """Write at a place. Raises OutputError where there is no room."""
        left = data.data
        with room_for(self._what):
            while len(left):
                written = os.pwrite(self._fd, left, place)
                left, place = left[written:], place + written

    def read(self, place: int, size: int) -> Bytes:
        """What was written at a place."""
        out = np.empty(size, np.uint8)
        done = 0
        with room_for(self._what):
            while done < size:
                done += os.preadv(self._fd, [out.data[done:]], place + done)
        return out
