"""How the rows of a heat map divide the data addresses, which lie in few and distant regions."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Uint64s = npt.NDArray[np.uint64]

ROWS: Final = 120
_REGIONS: Final = 12
_GAP_PAGES: Final = np.uint64(4096)
"""Pages without a sample (16 MiB) that part two regions."""


def address_rows(pages: Uint64s, samples: Uint64s) -> tuple[Uint64s, Uint64s]:
    """First and end page of each row, ascending: at most ROWS, which hold all `pages`.

    `pages` ascend, with their samples. Pages are parted at their widest gaps into regions; a region
    gets rows by the square root of its samples, and divides them evenly among its pages.
    """
    gaps = np.flatnonzero(np.diff(pages) > _GAP_PAGES) + 1
    widest = np.argsort(np.diff(pages)[gaps - 1], kind="stable")[::-1][: _REGIONS - 1]
    begins = np.concatenate(([0], np.sort(gaps[widest])))
    ends = np.append(begins[1:], len(pages))
    first, last = pages[begins], pages[ends - 1] + np.uint64(1)
    weights = np.sqrt(np.add.reduceat(samples, begins).astype(np.float64))
    extra = np.floor((ROWS - len(begins)) * weights / weights.sum()).astype(np.uint64)
    counts = np.minimum(extra + np.uint64(1), last - first)
    starts, stops = [], []
    for low, high, count in zip(first.tolist(), last.tolist(), counts.tolist(), strict=True):
        bounds = [low + (high - low) * i // count for i in range(count + 1)]
        starts += bounds[:-1]
        stops += bounds[1:]
    return np.array(starts, np.uint64), np.array(stops, np.uint64)
