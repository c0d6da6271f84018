"""Places of files that need not be on this machine: paths, and URLs that fsspec knows."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import Any, Final

from spetrace.errors import InputError, OutputError, UsageError
from spetrace.sweep.prepared import DESCRIPTION, FILES
from spetrace.sweep.user_cache import make_room, mark_used, user_cache

_STATE_DIGITS: Final = 16
_SESSION_FILES: Final = (
    "session.json",
    "events.parquet",
    "quality.parquet",
    "kvm_exits.parquet",
    "stage2_faults.parquet",
)


def is_url(location: str) -> bool:
    """Whether a location is a URL, not a path."""
    return "://" in location


def file_name(location: str) -> str:
    """The last part of a path or URL."""
    return PurePosixPath(location.rstrip("/")).name


def fetch_input(url: str, folder: Path) -> Path:
    """Copy the file, or the files of the session folder, at `url` into `folder`, unless they are
    there as they are now at `url`; the path of the copy.

    Raises InputError where it can't be had, UsageError where no library for it is installed.
    """
    filesystem, path = _filesystem(url)
    try:
        files = [path] if filesystem.isfile(path) else _files_of(filesystem, path)
        state = hashlib.sha256(repr([_facts_of(filesystem, file) for file in files]).encode())
        target = folder / state.hexdigest()[:_STATE_DIGITS] / file_name(url)
        if not target.exists():
            _copy(filesystem, path, files, target)
    except Exception as error:
        raise InputError("object store", _cause(error), file=url) from error
    return target


def _facts_of(filesystem: Any, file: str) -> list[tuple[str, str]]:
    """What the store says of a file, in one order: size, time of change, ETag.

    Not fsspec's `ukey`: of a file on a web server that is the URL alone.
    """
    return sorted((str(name), str(value)) for name, value in filesystem.info(file).items())


def _cause(error: Exception) -> str:
    """An error in words: the libraries of object stores raise errors of their own making."""
    return str(error) or type(error).__name__


def _files_of(filesystem: Any, folder: str) -> list[str]:
    """The files of a session folder that a replay can need."""
    listed: list[str] = filesystem.ls(folder, detail=False)
    return sorted(name for name in listed if file_name(name) in _SESSION_FILES)


def _copy(filesystem: Any, path: str, files: list[str], target: Path) -> None:
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if files == [path]:
            filesystem.get_file(path, str(part))
        else:
            part.mkdir()
            for name in files:
                filesystem.get_file(name, str(part / file_name(name)))
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)


def share_session(folder: Path, url: str) -> None:
    """Copy a prepared session to `url`, its description last; raises OutputError."""
    filesystem, base = _filesystem(url)
    try:
        filesystem.makedirs(base, exist_ok=True)
        if filesystem.exists(f"{base}/{DESCRIPTION}"):
            return
        for name in reversed(FILES):
            if (folder / name).exists():
                filesystem.put_file(str(folder / name), f"{base}/{name}")
    except Exception as error:
        raise OutputError(f"{url}: can't be written: {_cause(error)}") from error


def local_session(location: str, key: str) -> str:
    """The folder of a prepared session on this machine; fetched, where it is elsewhere, once.

    Raises InputError where it can't be had.
    """
    if not is_url(location):
        if not (Path(location) / DESCRIPTION).is_file():
            cause = "is not on this machine: give --cache a URL or a folder that all workers see"
            raise InputError("prepared session", cause, file=location)
        return location
    folder = user_cache() / key
    if not (folder / DESCRIPTION).is_file():
        _fetch_session(location, folder)
        make_room(folder.parent, folder)
    mark_used(folder)
    return str(folder)


def _fetch_session(url: str, folder: Path) -> None:
    filesystem, base = _filesystem(url)
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    part.mkdir(parents=True)
    try:
        for name in FILES:
            if filesystem.exists(f"{base}/{name}"):
                filesystem.get_file(f"{base}/{name}", str(part / name))
        if not folder.exists():
            part.rename(folder)
    except Exception as error:
        # Another process of this machine may have been first.
        if not (folder / DESCRIPTION).is_file():
            raise InputError("prepared session", _cause(error), file=url) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        found: tuple[Any, str] = url_to_fs(url)
    except ImportError as error:
        raise UsageError(f"{url}: needs a library that is not installed: {error}") from error
    except ValueError as error:
        raise UsageError(f"{url}: {error}") from error
    return found
