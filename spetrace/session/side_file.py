"""The small text files beside the recordings: session.toml and a /proc/PID/maps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spetrace.errors import InputError

_BYTES_MAX: Final = 64 << 20


def read_side_file(path: Path, structure: str) -> str:
    """The file's text; raises InputError where it can't be read or is no text of sensible size."""
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(structure, error.strerror or str(error), file=str(path)) from error
    if len(data) > _BYTES_MAX:
        raise InputError(structure, f"is larger than {_BYTES_MAX} bytes", file=str(path))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        cause = "is no UTF-8 text"
        raise InputError(structure, cause, offset=error.start, file=str(path)) from error
