"""The keywords of the Python functions as the options that the command line has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, TypedDict

from spetrace.errors import UsageError
from spetrace.session.options import AssumedSpe, SessionOptions

File: TypeAlias = str | os.PathLike[str]
"""A path."""
AssumedLoad: TypeAlias = bool | Mapping[str, int] | AssumedSpe
"""An assumed SPE load: True for the default one, or period_ns, record_bytes, buffer_bytes."""
_PATHS: Final = ("session_toml", "vmm_maps", "event_map")


class SessionKeywords(TypedDict, total=False):
    """What files can't settle, as `spetrace.open_session` takes it; None: not said."""

    assume_spe: AssumedLoad | None
    session_toml: File | None
    vmm_maps: File | None
    ram_base: int | None
    ram_bytes: int | None
    clock_offset_ns: int | None
    stage2_from: str | None
    infer_read_only: bool | None
    aux_bytes: int | None
    placement: str | None
    placement_seed: int | None
    buffer_touched: bool | None
    event_map: File | None


class ReplayKeywords(TypedDict, total=False):
    """The parameters of a replay, as `spetrace.replay` takes them: those that are given count."""

    page_size: int
    memory_bytes: int
    memlock_bytes: int | None
    max_buffer_bytes: int
    initial_stage2: str
    dl_model: str
    data_loss: str
    pin_refuses: str
    keep_ns: int | None
    host_buffer_bytes: int
    costs: Mapping[str, int]
    vms: Mapping[int, Mapping[str, Any]]


def session_options(given: Mapping[str, Any]) -> SessionOptions:
    """The options that `given` (SessionKeywords; other names are left away) says.

    Raises UsageError for a load that names what there is not.
    """
    values: dict[str, Any] = {name: given.get(name) for name in SessionKeywords.__annotations__}
    for name in _PATHS:
        if values[name] is not None:
            values[name] = Path(values[name])
    return SessionOptions(**values | {"assume_spe": _load(values["assume_spe"])})


def _load(load: AssumedLoad | None) -> AssumedSpe | None:
    if not isinstance(load, Mapping):
        return AssumedSpe() if load is True else load or None
    known = list(AssumedSpe.__dataclass_fields__)
    if unknown := sorted(set(load) - set(known)):
        raise UsageError(f"assume_spe: {unknown[0]!r} is none; there are {', '.join(known)}")
    return AssumedSpe(**load)
