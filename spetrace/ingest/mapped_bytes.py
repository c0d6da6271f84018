"""Memory given back to the system: of mapped files, and what the heap has no use for."""

from __future__ import annotations

import ctypes
import mmap
from contextlib import suppress

import numpy as np
import numpy.typing as npt


def let_go(data: npt.NDArray[np.uint8]) -> None:
    """Give the pages of a mapped file back to the system, as far as they are in memory.

    `data` is a whole mapped file (other bytes are left alone) and stays readable: what is read
    again comes back from the system's cache or the file.
    """
    view = data.base
    mapped = view.obj if isinstance(view, memoryview) else None
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)


def trim_heap() -> None:
    """Give back what is free inside the heap: arrays of batches of changing sizes leave holes in it.

    Where there is no glibc, nothing changes.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
