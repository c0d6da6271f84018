"""The rows of each VM in a table, in order: a VM after the other at a bounded cost of memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.session.ordered_rows import Dealer
from spetrace.spooled import chunks, let_go, room


class VmRows:
    """Finds the rows by a column of VM numbers (from 0 on, below 65,536)."""

    def __init__(self, vm: npt.NDArray[Any]) -> None:
        counts = np.zeros(0, np.int64)
        for select in chunks(len(vm)):
            found = np.bincount(vm[select], minlength=len(counts))
            found[: len(counts)] += counts
            counts = found
            let_go(vm)
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        self._rows = self._sorted(vm, counts) if np.count_nonzero(counts) > 1 else None

    def of(self, vm: int, *, backwards: bool = False) -> Iterator[Integers | slice]:
        """One VM's rows, a bounded number at a time; `backwards`: the last ones come first."""
        if vm >= len(self._ends):
            return
        start, end = int(self._starts[vm]), int(self._ends[vm])
        parts = list(chunks(end - start))
        for part in reversed(parts) if backwards else parts:
            if self._rows is None:
                yield part
            else:
                yield self._rows[start + part.start : start + part.stop]
                let_go(self._rows)

    def _sorted(self, vm: npt.NDArray[Any], counts: Integers) -> Integers:
        """All rows, VM after VM."""
        (rows,) = room(len(vm), np.int64(0))
        dealer = Dealer(counts)
        for select in chunks(len(vm)):
            rows[dealer.places(vm[select])] = np.arange(select.start, select.stop)
            let_go(rows, vm)
        return rows


def places_of(rows: Integers | slice) -> Integers:
    """Rows as numbers."""
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
