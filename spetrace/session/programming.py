"""How the driver programmed the profiling buffer for each AUX record, told from its offsets.

Source: arm_spe_pmu_next_off, arm_spe_perf_aux_output_begin and _end, drivers/perf/arm_spe_pmu.c,
Linux 6.12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.session.spe_streams import AuxParts

_FULL_BELOW: Final = 2048
"""A buffer with less room than the largest record that PMSIDR_EL1.MaxSize allows is full."""
_SIZE_MAX: Final = 1 << 62


@dataclass(frozen=True)
class Programming:
    """Per AUX record: where in the area it starts, its limit, and whether filling up ended it."""

    position: Integers
    limit: Integers
    is_full: npt.NDArray[np.bool_]


def program(parts: AuxParts, area_bytes: int, page_size: int) -> Programming:
    """The programming of a stream's AUX records in an area of `area_bytes`.

    The limit is the next multiple of half the area, or the record's end where that is further. The
    stream's last record is never one that the buffer's filling up ended: what came next is unknown.
    """
    size = np.minimum(parts.size, np.uint64(_SIZE_MAX)).astype(np.int64)
    position = (parts.offset % np.uint64(area_bytes)).astype(np.int64)
    position[position + size > area_bytes] = 0
    end = position + size
    half = area_bytes // 2
    limit = np.maximum((position // half + 1) * half, -(-end // page_size) * page_size)
    is_full = limit - end < _FULL_BELOW
    is_full[-1:] = False
    return Programming(position, limit, is_full)
