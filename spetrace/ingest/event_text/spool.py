"""Frames of a long text's events, kept in a temporary file: written once, a stretch at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from io import BytesIO
from typing import IO, NamedTuple
from weakref import finalize

import polars as pl

from spetrace.spooled import refusals, write_all


class Place(NamedTuple):
    """Where a frame is in the file."""

    offset: int
    size: int
    rows: int


class Spool:
    """Frames in a temporary file that has no name; its disk space goes with the last reference."""

    def __init__(self) -> None:
        """Raises InputError where no temporary file can be made."""
        with refusals():
            # Without a buffer: what is in one can't be written on a full disk when it is closed.
            self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        self._end = 0
        finalize(self, self._file.close)

    def write(self, frames: Mapping[str, pl.DataFrame]) -> dict[str, Place]:
        """Append frames; raises InputError where there is no room for them."""
        places = {}
        for name, frame in frames.items():
            packed = BytesIO()
            frame.write_ipc_stream(packed, compression="lz4")
            with refusals():
                self._file.seek(self._end)
                write_all(self._file, packed.getbuffer())
            places[name] = Place(self._end, packed.tell(), len(frame))
            self._end += packed.tell()
        return places

    def read(self, place: Place) -> pl.DataFrame:
        """One of the frames."""
        self._file.seek(place.offset)
        return pl.read_ipc_stream(BytesIO(self._file.read(place.size)))
