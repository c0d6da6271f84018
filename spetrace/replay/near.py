"""Which stage-2 events can matter to a buffer.

A host unmaps and maps far more than the pages that profiling buffers ever lie in. Whether an event
touches a page that the VM's stage 1 leads to at any time in the log is the same for all strategies.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.replay.log_columns import CODE
from spetrace.tables.events import KINDS

Pages = npt.NDArray[np.uint64]
_NOTHING: Final = (np.zeros(0, np.uint64), np.zeros(0, np.uint64))
_STAGE1_MAP: Final = CODE["stage1_map"]
_STAGE2: Final = [code for code, kind in enumerate(KINDS) if kind.startswith("stage2_")]


class NearPages:
    """Per VM the IPA pages that its stage 1 ever leads to, as sorted disjoint [start, end)."""

    def __init__(self, page_size: int, items: Iterable[pl.DataFrame] = ()) -> None:
        self._page_size = np.uint64(page_size)
        self._by_vm: dict[int, tuple[Pages, Pages]] = {}
        for frame in items:
            self.add(frame)

    def add(self, items: pl.DataFrame) -> None:
        """Take in the stage-1 mappings among `items`."""
        maps = items.filter(pl.col("kind") == _STAGE1_MAP)
        for vm in maps["vm"].unique():
            starts, ends = self._led_to(maps.filter(pl.col("vm") == vm))
            known_starts, known_ends = self._by_vm.get(vm, _NOTHING)
            self._by_vm[vm] = _union(
                np.concatenate((known_starts, starts)), np.concatenate((known_ends, ends))
            )

    def mark(self, items: pl.DataFrame) -> npt.NDArray[np.bool_]:
        """Which items are stage-2 events that touch such a page."""
        near = np.zeros(len(items), bool)
        stage2 = items["kind"].is_in(_STAGE2)
        for vm, (starts, ends) in self._by_vm.items():
            mine = (stage2 & (items["vm"] == vm)).arg_true()
            first = items["ipa"].gather(mine).to_numpy() // self._page_size
            end = first + items["pages"].gather(mine).to_numpy()
            before = np.searchsorted(ends, first, "right")
            near[mine.to_numpy()] = before < np.searchsorted(starts, end)
        return near

    def _led_to(self, maps: pl.DataFrame) -> tuple[Pages, Pages]:
        """The IPA pages of mappings and of the tables on the way, as [start, end) in any order."""
        tables = maps.select(pl.col("tables").explode()).drop_nulls()["tables"].to_numpy()
        table = tables // self._page_size
        first = maps["ipa"].to_numpy() // self._page_size
        end = first + maps["pages"].to_numpy()
        return np.concatenate((first, table)), np.concatenate((end, table + np.uint64(1)))


def _union(starts: Pages, ends: Pages) -> tuple[Pages, Pages]:
    """The same pages as sorted disjoint ranges."""
    order = np.argsort(starts)
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    gap = np.concatenate(([True], starts[1:] > reach[:-1]))
    return starts[gap], reach[np.concatenate((np.flatnonzero(gap)[1:] - 1, [len(reach) - 1]))]
