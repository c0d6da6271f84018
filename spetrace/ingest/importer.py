"""Which formats there are, how a file's content decides among them, and the one place that opens files.

A format is a folder (or file) of this package with an `IMPORTER`, and one line in `_FORMATS`.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from spetrace.errors import InputError
from spetrace.tables.recording import Recording

_FORMATS = (
    "spetrace.ingest.perf_data.importer",
    "spetrace.ingest.trace_dat.importer",
    "spetrace.ingest.event_log.importer",
    "spetrace.ingest.event_text.importer",
)
_HEAD_BYTES = 1 << 16
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
}


@dataclass(frozen=True)
class Importer:
    """One format: `sniff` says whether a file that begins so is of it, `read` reads it whole.

    `read` takes the file's name (for messages) and its bytes (mapped, read-only) and raises
    InputError where nothing can be read.
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: Callable[[str, memoryview], Recording]


def importers() -> Iterator[Importer]:
    """All formats, in the order in which they are tried; each is imported when its turn comes."""
    for module in _FORMATS:
        yield import_module(module).IMPORTER


def read_recording(path: Path) -> Recording:
    """Read one file; its content decides the format.

    Raises InputError (file and place in it) if it can't be opened or read, or fits no format.
    """
    name = str(path)
    try:
        data = _mapped(path)
        head = bytes(data[:_HEAD_BYTES])
        for importer in importers():
            if importer.sniff(head):
                return importer.read(name, data)
    except InputError as error:
        raise error.in_file(name) from error
    raise InputError("file", _no_format(head), offset=0, file=name)


def _no_format(head: bytes) -> str:
    for magic, compression in _COMPRESSED.items():
        if head.startswith(magic):
            return f"is compressed by {compression}: unpack it first"
    return (
        "no format that spetrace reads (perf.data, trace.dat, ftrace, trace-cmd or perf text, "
        "event log)"
    )


def map_file(path: Path) -> memoryview:
    """The bytes of a file that has no format of its own, mapped read-only.

    Raises InputError if it can't be opened or is empty.
    """
    try:
        return _mapped(path)
    except InputError as error:
        raise error.in_file(str(path)) from error


def sha256(path: Path) -> str:
    """The file's SHA-256 as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mapped(path: Path) -> memoryview:
    if path.is_dir():
        raise InputError("file", "is a directory, not a recording")
    if path.exists() and not path.is_file():
        raise InputError("file", "is a pipe or device: save it to a file first")
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise InputError("file", "is empty", offset=0)
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise InputError("file", getattr(error, "strerror", None) or str(error)) from error
