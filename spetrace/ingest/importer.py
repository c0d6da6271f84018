"""Which formats there are, how a file's content decides among them, and the one place that opens files.

A format is a folder (or file) of this package with an `IMPORTER`, and one line in `_FORMATS`.
"""

from __future__ import annotations

import hashlib
import mmap
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import IO

from spetrace.background import until
from spetrace.errors import InputError
from spetrace.tables.recording import Recording

_FORMATS = (
    "spetrace.ingest.perf_data.importer",
    "spetrace.ingest.trace_dat.importer",
    "spetrace.ingest.event_log.importer",
    "spetrace.ingest.event_text.importer",
)
_STDIN = Path("-")
_HEAD_BYTES = 1 << 16
_COPY_BYTES = 1 << 20
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
    """Read one file, or stdin where `path` is "-"; its content decides the format.

    A pipe's bytes go to a temporary file first, and their hash into the recording: they can't be
    read again. Raises InputError (file and place in it) if it can't be opened or read, or fits no
    format.
    """
    name, data = input_name(path), map_file(path)
    head = bytes(data[:_HEAD_BYTES])
    try:
        for importer in importers():
            if importer.sniff(head):
                return _identified(importer.read(name, data), path, data)
    except InputError as error:
        raise error.in_file(name) from error
    raise InputError("file", _no_format(head), offset=0, file=name)


def read_raw_spe(path: Path) -> Recording:
    """Read a file, or stdin where `path` is "-", as bare SPE bytes without a container.

    Such are a dumped profiling buffer and WindowsPerf's spe.data: nothing in them tells what they
    are. Raises InputError if it can't be opened or is empty.
    """
    from spetrace.ingest.raw_spe import parse_raw_spe

    data = map_file(path)
    return _identified(parse_raw_spe(input_name(path), data), path, data)


def input_name(path: Path) -> str:
    """What an input is called in messages and tables."""
    return "<stdin>" if path == _STDIN else str(path)


def _identified(recording: Recording, path: Path, data: memoryview) -> Recording:
    if path == _STDIN or path.is_fifo():
        recording.sha256 = hashlib.sha256(data).hexdigest()
    return recording


def _no_format(head: bytes) -> str:
    for magic, compression in _COMPRESSED.items():
        if head.startswith(magic):
            return f"is compressed by {compression}: unpack it first"
    return (
        "no format that spetrace reads (perf.data, trace.dat, ftrace, trace-cmd or perf text, "
        "event log)"
    )


def map_file(path: Path) -> memoryview:
    """The bytes of a file, or of stdin where `path` is "-", mapped read-only.

    Raises InputError if it can't be opened or is empty.
    """
    try:
        return _mapped(path)
    except InputError as error:
        raise error.in_file(input_name(path)) from error


def sha256(path: Path, stop: Event | None = None) -> str:
    """The file's SHA-256 as hex digits; CancelledError once `stop` is set."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in until(stop or Event(), iter(lambda: file.read(_COPY_BYTES), b"")):
            digest.update(piece)
    return digest.hexdigest()


def _mapped(path: Path) -> memoryview:
    try:
        if path == _STDIN:
            return _spooled(_stdin())
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError("file", _no_folder(path))
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError("file", "is a device, not a recording")
        with path.open("rb") as file:
            return _map(file) if stat.S_ISREG(mode) else _spooled(file)
    except (OSError, ValueError) as error:
        raise InputError("file", getattr(error, "strerror", None) or str(error)) from error


def _no_folder(path: Path) -> str:
    if (path / "data").is_file() and not (path / "data.0").exists():
        return f"is a folder of perf record --kcore: give the recording in it, {path / 'data'}"
    if (path / "data").is_file():
        return (
            "is a perf.data of several files (perf record --threads), which is not read: record "
            "without --threads"
        )
    if (path / "results.parquet").is_file():
        return "holds results: give the recordings, or the session folder, that they were made from"
    if (path / "session.json").is_file():
        return "is a session folder, not a recording: see spetrace replay, kvm, profile and export"
    return "is a directory, not a recording"


def _stdin() -> IO[bytes]:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("file", "is no pipe: send a recording to it (perf record -o - ... |)")
    return sys.stdin.buffer


def _spooled(source: IO[bytes]) -> memoryview:
    """The bytes that a pipe gives, mapped in a temporary file that has no name any more."""
    with tempfile.TemporaryFile() as file:
        try:
            shutil.copyfileobj(source, file, _COPY_BYTES)
            file.flush()
        except OSError as error:
            cause = f"can't be copied to {tempfile.gettempdir()}: {error.strerror}"
            raise InputError("file", cause) from error
        return _map(file)


def _map(file: IO[bytes]) -> memoryview:
    if not file.seek(0, 2):
        raise InputError("file", "is empty", offset=0)
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
