"""Where compiled kernels are kept between runs.

numba keeps them beside the package's modules where it can write there, else in the user's cache
folder. Where neither can be written it would refuse to compile; a folder below the system's
temporary one serves then. NUMBA_CACHE_DIR, where set, wins.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def choose_kernel_cache() -> None:
    """Point numba to a folder that can be written; to be called before numba is imported."""
    if VARIABLE in os.environ or any(map(_writable, (_beside_the_package(), _of_the_user()))):
        return
    os.environ[VARIABLE] = str(_temporary())


def _beside_the_package() -> Path:
    return Path(__file__).parent / "ingest" / "spe"


def _of_the_user() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "numba"


def _writable(folder: Path) -> bool:
    """Whether files can be made in `folder`, or it can be made."""
    existing = next((p for p in (folder, *folder.parents) if p.exists()), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _temporary() -> Path:
    """A folder that is the user's alone, the same in each run unless somebody else has its name."""
    folder = Path(tempfile.gettempdir()) / f"spetrace-kernels-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        if state.st_uid == os.getuid() and not state.st_mode & 0o077 and not folder.is_symlink():
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="spetrace-kernels-"))
