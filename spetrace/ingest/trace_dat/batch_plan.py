"""Which pages of each CPU are read together, so that a batch is a stretch of time and of bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spetrace.ingest.trace_dat.survey import Integers, PageTimes


def plan_batches(streams: Sequence[PageTimes], batch_events: int) -> Integers:
    """Per batch and stream the end of the batch's pages; they begin where those before end.

    Cuts are laid where `batch_events` events are between them, had every CPU's pages rising times.
    """
    rising = [np.maximum.accumulate(pages.first) for pages in streams]
    ends = np.array([len(times) for times in rising], np.int64)
    if not len(ends):
        return np.empty((0, 0), np.int64)
    times = np.concatenate(rising)
    order = np.argsort(times, kind="stable")
    events = np.cumsum(np.concatenate([pages.events for pages in streams])[order])
    total = int(events[-1]) if len(events) else 0
    marks = np.searchsorted(events, np.arange(batch_events, total, batch_events))
    cuts = np.unique(times[order[marks]])
    plan = np.array([np.searchsorted(t, cuts) for t in rising], np.int64).reshape(len(ends), -1)
    return np.vstack([plan.T, ends])
