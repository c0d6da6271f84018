"""A folder of results that appears whole or not at all.

Files are written in a hidden folder, on the same file system, that becomes the one asked for when
all is done; into a folder that is there already they move one by one, each complete.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from spetrace.errors import OutputError, UsageError
from spetrace.report.staging import staging_folder
from spetrace.workflow.undisturbed import undisturbed

_OWNERS = {
    "results.parquet": "results of spetrace replay",
    "sweep.json": "a sweep",
    "session.json": "a session of spetrace ingest",
}
"""What a folder holds, by the first of these files that is in it."""


def check_owner(folder: Path, own: str) -> None:
    """Raise UsageError where `folder` holds what another command wrote than the one that writes `own`.

    Some of their files have the same name, so that neither could be read afterwards.
    """
    found = next((name for name in _OWNERS if (folder / name).exists()), own)
    if found != own:
        raise UsageError(f"{folder}: holds {_OWNERS[found]}: give another folder to write to")


@contextmanager
def output_folder(path: Path, owned: Collection[str] = ()) -> Iterator[Path]:
    """A folder to write into, which is `path` once the block ends without an exception.

    Missing parents are made. On an exception nothing is left, and a folder that was there before
    stands as it was. `owned` names what an earlier run may have left in `path`: it is removed where
    this one does not write it; so is what a killed process left half done. Raises OutputError where the
    system refuses, also for an OSError from the block.
    """
    path = path.absolute()
    created: list[Path] = []
    try:
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path}: is a file; results need a folder")
        created = _make_parents(path.parent)
        place = path if path.is_dir() else path.parent
        with staging_folder(place, f".{path.name}.", ".part") as staging:
            with noting_nothing_written(path):
                yield staging
            with undisturbed():
                _publish(staging, path, owned)
                created = []
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        for folder in reversed(created):
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextmanager
def noting_nothing_written(path: Path) -> Iterator[None]:
    """Where a signal ends the block, its exception says that nothing was written to `path`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        error.add_note(f"nothing was written to {path}")
        raise


def _make_parents(folder: Path) -> list[Path]:
    """Make `folder` and what it lacks above it; the folders made, topmost first."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    for each in reversed(missing):
        each.mkdir()
    return missing[::-1]


def _publish(staging: Path, path: Path, owned: Collection[str]) -> None:
    if not path.exists():
        staging.rename(path)
        return
    for name in {entry.name for entry in staging.iterdir()} | set(owned):
        source, target = staging / name, path / name
        if target.is_dir() and not source.is_file():
            shutil.rmtree(target)
        if source.exists():
            source.replace(target)
        else:
            target.unlink(missing_ok=True)
