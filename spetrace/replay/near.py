"""Which stage-2 events can matter to a buffer.

A host unmaps and maps far more than the pages that profiling buffers ever lie in. Whether an event
touches a page that the VM's stage 1 leads to at any time in the log is the same for all strategies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Pages = npt.NDArray[np.uint64]


def mark_near(rows: pl.DataFrame, page_size: int) -> pl.Series:
    """Column `near` for event rows: a stage-2 event that touches such a page."""
    near = np.zeros(len(rows), bool)
    stage2 = rows["kind"].str.starts_with("stage2_")
    for vm in rows["vm"].unique():
        starts, ends = _led_to(rows.filter(pl.col("vm") == vm), page_size)
        mine = (stage2 & (rows["vm"] == vm)).arg_true()
        first = rows["ipa"].gather(mine).to_numpy() // np.uint64(page_size)
        end = first + rows["pages"].gather(mine).to_numpy()
        before = np.searchsorted(ends, first, "right")
        near[mine.to_numpy()] = before < np.searchsorted(starts, end)
    return pl.Series("near", near)


def _led_to(rows: pl.DataFrame, page_size: int) -> tuple[Pages, Pages]:
    """The IPA pages that stage 1 ever leads to, as sorted disjoint [start, end)."""
    maps = rows.filter(pl.col("kind") == "stage1_map")
    tables = maps.select(pl.col("tables").explode()).drop_nulls()["tables"].to_numpy()
    size = np.uint64(page_size)
    first = np.concatenate((maps["ipa"].to_numpy() // size, tables // size)).astype(np.uint64)
    count = np.concatenate((maps["pages"].to_numpy(), np.ones(len(tables), np.uint64)))
    order = np.argsort(first)
    first, reach = first[order], np.maximum.accumulate((first + count)[order])
    if not len(first):
        return first, reach
    gap = np.concatenate(([True], first[1:] > reach[:-1]))
    return first[gap], reach[np.concatenate((np.flatnonzero(gap)[1:] - 1, [len(reach) - 1]))]
