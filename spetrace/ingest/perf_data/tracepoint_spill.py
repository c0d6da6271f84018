"""Bytes of any number at a bounded cost of memory: the many ones are in a temporary file."""

from __future__ import annotations

import mmap
import tempfile
from io import BytesIO
from typing import IO, Any
from weakref import finalize

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.perf_data.framing import Bytes
from spetrace.spooled import write_all

HELD_BYTES = 1 << 25
"""So many are held in memory before a file is made."""


class Spill:
    """Arrays one after another: in memory while they are few, then in a file that has no name.

    The file's disk space goes with the last reference to this and to the arrays of `mapped`.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = BytesIO()
        self._held = True
        self.size = 0

    def write(self, array: npt.NDArray[Any], at: int | None = None) -> int:
        """Append an array, or write it over others; returns where it is.

        Raises InputError where there is no room for it.
        """
        place = self.size if at is None else at
        try:
            if self._held and place + array.nbytes > HELD_BYTES:
                self._move_to_disk()
            self._file.seek(place)
            write_all(self._file, array.view(np.uint8).data)
        except OSError as error:
            cause = f"can't be kept in {tempfile.gettempdir()}: {error.strerror}"
            raise InputError("perf.data samples", cause) from error
        self.size = max(self.size, place + array.nbytes)
        return place

    def read(self, at: int, size: int) -> bytes:
        """Some of what was written."""
        self._file.seek(at)
        return self._file.read(size)

    def mapped(self) -> Bytes:
        """All that was written until now, as one array: mapped, if it is in a file."""
        if self._held:
            self._file.seek(0)
            return np.frombuffer(self._file.read(), np.uint8)
        pages = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
        return np.frombuffer(memoryview(pages), np.uint8)

    def _move_to_disk(self) -> None:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as this
        finalize(self, file.close)
        self._file.seek(0)
        write_all(file, memoryview(self._file.read()))
        self._file, self._held = file, False
