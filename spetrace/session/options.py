"""The choices that files can't settle, as given by flags (session.toml has the same keys)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ASSEMBLED_WITH: Final = ("page_size", "memory_bytes", "initial_stage2")
"""The replay parameters that an event log depends on, too."""


@dataclass(frozen=True)
class AssumedSpe:
    """An SPE load on captures without SPE data (`--assume-spe`)."""

    period_ns: int = 1000
    record_bytes: int = 64
    buffer_bytes: int = 1 << 20


@dataclass(frozen=True)
class SessionOptions:
    """What the user said beside the files; None where nothing was said, so the default holds."""

    assume_spe: AssumedSpe | None = None
    session_toml: Path | None = None
    vmm_maps: Path | None = None
    ram_base: int | None = None
    ram_bytes: int | None = None
    clock_offset_ns: int | None = None
    stage2_from: str | None = None
    """"probes" or "tracepoints"."""
    infer_read_only: bool | None = None
    """By tracepoints: tell read-only mappings from later write faults and from retried reads."""
    aux_bytes: int | None = None
    placement: str | None = None
    """"contiguous" or "scattered"."""
    placement_seed: int | None = None
    buffer_touched: bool | None = None
    costs: str | None = None
    """"measured", or the path of a TOML file of costs."""
    event_map: Path | None = None
    """A TOML file that maps events of one's own to the event log."""
    parameters: Mapping[str, Any] | None = None
    """Replay parameters given as flags (nested as in a session line): they win over all else, and
    those of ASSEMBLED_WITH matter to the session too."""
