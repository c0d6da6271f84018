"""Frames of a long text's events, kept in a temporary file: written once, a stretch at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from typing import IO, NamedTuple
from weakref import finalize

import polars as pl

from spetrace.errors import InputError


class Place(NamedTuple):
    """Where a frame is in the file."""

    offset: int
    size: int
    rows: int


class Spool:
    """Frames in a temporary file that has no name; its disk space goes with the last reference."""

    def __init__(self) -> None:
        """Raises InputError where no temporary file can be made."""
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this
        except OSError as error:
            raise _refused(error) from error
        self._end = 0
        finalize(self, self._file.close)

    def write(self, frames: Mapping[str, pl.DataFrame]) -> dict[str, Place]:
        """Append frames; raises InputError where there is no room for them."""
        places = {}
        try:
            for name, frame in frames.items():
                self._file.seek(self._end)
                frame.write_ipc_stream(self._file, compression="lz4")
                size = self._file.tell() - self._end
                places[name] = Place(self._end, size, len(frame))
                self._end += size
            self._file.flush()
        except OSError as error:
            raise _refused(error) from error
        return places

    def read(self, place: Place) -> pl.DataFrame:
        """One of the frames."""
        self._file.seek(place.offset)
        return pl.read_ipc_stream(BytesIO(self._file.read(place.size)))


def _refused(error: OSError) -> InputError:
    cause = f"can't be kept in {tempfile.gettempdir()}: {error.strerror}"
    return InputError("trace text", cause)
