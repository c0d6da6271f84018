"""Which pages of each CPU are read together, so that a batch is a stretch of time and of bounded size.

They are told by the survey's blocks of pages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spetrace.ingest.trace_dat.survey import BlockTimes, Integers


def plan_batches(streams: Sequence[BlockTimes], batch_events: int) -> Integers:
    """Per batch and stream the end of the batch's blocks; they begin where those before end.

    Cuts in time are laid so that `batch_events` events are between two of them, had every CPU's
    blocks rising times. A batch reaches one block of events beyond its cut: only then is it known
    that nothing else comes before the cut.
    """
    ends = np.array([len(blocks.first) for blocks in streams], np.int64)
    if not len(ends):
        return np.empty((0, 0), np.int64)
    rising = [np.maximum.accumulate(blocks.first) for blocks in streams]
    times = np.concatenate(rising)
    order = np.argsort(times, kind="stable")
    events = np.cumsum(np.concatenate([blocks.events for blocks in streams])[order])
    total = int(events[-1]) if len(events) else 0
    marks = np.searchsorted(events, np.arange(batch_events, total, batch_events))
    cuts = np.unique(times[order[marks]])
    plan = [_beyond(blocks, t, cuts) for blocks, t in zip(streams, rising, strict=True)]
    return np.vstack([np.array(plan, np.int64).T, ends])


def _beyond(blocks: BlockTimes, rising: Integers, cuts: Integers) -> Integers:
    """Per cut the end of the first block of events that is behind it."""
    held = np.flatnonzero(blocks.events)
    behind = np.searchsorted(held, np.searchsorted(rising, cuts))
    ends: Integers = np.append(held + 1, len(rising))[behind]
    return ends
