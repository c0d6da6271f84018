"""How the process is set up for work on large arrays: heap, collector, threads of libraries."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress
from typing import Final

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt (malloc.h, glibc)."""
_LARGE: Final = 1 << 30
_COLLECT_EVERY: Final = 100_000
_SWITCH_SECONDS: Final = 1e-4
"""How long a thread with Python's lock makes others wait: kernels of a millisecond take turns."""


def set_up_process() -> None:
    """Keep freed memory, collect less often, let threads take turns, and none do linear algebra.

    By default glibc maps each array of more than 128 KiB anew and gives it back, so that a fifth of
    the time of an ingest goes into clearing pages, and threads keep a heap each. With this the arrays
    of one batch take the memory of those of the batch before. Where there is no glibc, nothing
    changes.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(_COLLECT_EVERY)
    sys.setswitchinterval(_SWITCH_SECONDS)
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in (
            (_M_ARENA_MAX, 1),
            (_M_MMAP_THRESHOLD, _LARGE),
            (_M_TRIM_THRESHOLD, _LARGE),
        ):
            mallopt(parameter, value)
