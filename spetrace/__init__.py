"""spetrace: Arm SPE sessions replayed under every KVM stage-2 strategy.

What the command line does, in Python: `open_session` reads recordings or a session folder, `replay`
runs it under strategies, `load_results` reads a results folder back, `compare` words a run,
`profile` counts samples, `sweep` replays under many parameters, `ingest` writes a session folder,
`read_recording` reads one file as it is. They are imported when used. A folder of the same name as a function (`replay`, `profile`,
`sweep`, `ingest`) is imported by its full name: `from spetrace.replay.strategy import Strategy`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

from spetrace.kernel_cache import choose_kernel_cache

if TYPE_CHECKING:
    from spetrace.api.difference import Difference
    from spetrace.api.kvm import KvmReport
    from spetrace.api.profile import Profile, profile
    from spetrace.api.recordings import ingest, read_recording
    from spetrace.api.run import Run, compare, load_results, replay
    from spetrace.api.session import Session, open_session
    from spetrace.api.strategies import strategies
    from spetrace.api.sweep import Sweep, sweep
    from spetrace.errors import (
        InputError,
        NothingToReplayError,
        OutputError,
        TraceError,
        UsageError,
    )
else:
    # A package becomes an attribute of its parent when it is first imported, and only then: here,
    # so that it never stands in the place of the function of its name.
    for _name in ("ingest", "profile", "replay", "sweep"):
        import_module(f"spetrace.{_name}")
        del globals()[_name]

_HOMES = {
    "api.difference": ("Difference",),
    "api.kvm": ("KvmReport",),
    "api.profile": ("Profile", "profile"),
    "api.recordings": ("ingest", "read_recording"),
    "api.run": ("Run", "compare", "load_results", "replay"),
    "api.session": ("Session", "open_session"),
    "api.strategies": ("strategies",),
    "api.sweep": ("Sweep", "sweep"),
    "errors": ("InputError", "NothingToReplayError", "OutputError", "TraceError", "UsageError"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Difference", "InputError", "KvmReport", "NothingToReplayError", "OutputError", "Profile", "Run", "Session",
    "Sweep", "TraceError", "UsageError", "compare", "ingest", "load_results", "open_session", "profile",
    "read_recording", "replay", "strategies", "sweep",
]  # fmt: skip

choose_kernel_cache()


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(import_module(f"spetrace.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
