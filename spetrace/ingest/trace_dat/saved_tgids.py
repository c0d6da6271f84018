"""The processes of threads: tracefs's saved_tgids, where a recorder saved it.

trace-cmd itself does not; the branches of it that GPUVis records with do, as option 8, later 32
(gpuvis/gpuvis, trace-cmd/lib/trace-input.c). Upstream's option 8 is CPUCOUNT, of 4 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from spetrace.ingest.trace_dat.options import Option, OptionId

_LINE = re.compile(rb"^(\d{1,7}) (\d{1,7})$", re.MULTILINE)
_COUNT_BYTES = 8
"""A CPUCOUNT is not longer."""


def holds_tgids(option: Option) -> bool:
    """Whether it is one that saved_tgids is in."""
    is_old = option.id == OptionId.CPUCOUNT and len(option.data) > _COUNT_BYTES
    return is_old or option.id == OptionId.SAVED_TGIDS


def read_saved_tgids(options: Iterable[Option]) -> dict[int, int]:
    """Process by thread."""
    tgids: dict[int, int] = {}
    for option in options:
        if holds_tgids(option):
            tgids |= {int(pid): int(tgid) for pid, tgid in _LINE.findall(bytes(option.data))}
    return tgids
