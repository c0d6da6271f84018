"""A step function with fewer points, for charts and JSON: its extremes are kept."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.tables.kvm_summary import StateSummary

POINTS_MAX: Final = 4000
_PER_STRETCH: Final = 6


def state_points(state: StateSummary) -> list[tuple[int, int, int]]:
    """(time, mapped pages, writable pages) of the changes, POINTS_MAX of them at most.

    Of each stretch of changes the first and the last one are kept, and those with the fewest and the
    most pages of either kind.
    """
    columns = [
        np.asarray(c, np.int64) for c in (state.times_ns, state.mapped_pages, state.writable_pages)
    ]
    rows = _kept(columns[1:], len(columns[0]))
    return list(zip(*(column[rows].tolist() for column in columns), strict=True))


def _kept(values: list[npt.NDArray[np.int64]], count: int) -> npt.NDArray[np.int64]:
    if count <= POINTS_MAX:
        return np.arange(count)
    stretch = -(-_PER_STRETCH * count // POINTS_MAX)
    starts = np.arange(0, count, stretch)
    ends = np.append(starts[1:], count)
    rows = [starts, ends - 1]
    for column in values:
        pieces = np.split(column, starts[1:])
        rows += [starts + [p.argmin() for p in pieces], starts + [p.argmax() for p in pieces]]
    return np.unique(np.concatenate(rows))
