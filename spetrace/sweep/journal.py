"""The runs of a sweep that are done: a file that grows by a line per run.

A line is written by one system call, so a process that is killed leaves whole lines and at most one
that is cut: it is not taken for a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from spetrace.errors import OutputError

JOURNAL: Final = "runs.jsonl"


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """The entries in the order in which they were appended; none where there is no file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            entry = _entry(line)
            if entry is not None:
                yield entry


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not line.endswith(b"\n") or not isinstance(entry, dict):
        return None
    kept = isinstance(entry.get("run"), str) and isinstance(entry.get("strategies"), dict)
    return entry if kept else None


class Journal:
    """Appends to the file; raises OutputError where the system refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")
        except OSError as error:
            raise self._error(error) from error

    def append(self, entry: dict[str, Any]) -> None:
        """Keep a run."""
        line = (json.dumps(entry, separators=(",", ":")) + "\n").encode()
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("no space left")
        except OSError as error:
            raise self._error(error) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path}: can't be written: {error.strerror or error}")
