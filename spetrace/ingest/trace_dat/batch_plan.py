"""Which pages of each CPU are read together, so that a batch is a stretch of time and of bounded size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spetrace.ingest.trace_dat.survey import Integers, PageTimes


def plan_batches(streams: Sequence[PageTimes], batch_events: int) -> Integers:
    """Per batch and stream the end of the batch's pages; they begin where those before end.

    Cuts in time are laid so that `batch_events` events are between two of them, had every CPU's
    pages rising times. A batch reaches one page of events beyond its cut: only then is it known
    that nothing else comes before the cut.
    """
    ends = np.array([len(pages.first) for pages in streams], np.int64)
    if not len(ends):
        return np.empty((0, 0), np.int64)
    rising = [np.maximum.accumulate(pages.first) for pages in streams]
    times = np.concatenate(rising)
    order = np.argsort(times, kind="stable")
    events = np.cumsum(np.concatenate([pages.events for pages in streams])[order])
    total = int(events[-1]) if len(events) else 0
    marks = np.searchsorted(events, np.arange(batch_events, total, batch_events))
    cuts = np.unique(times[order[marks]])
    plan = [_beyond(pages, t, cuts) for pages, t in zip(streams, rising, strict=True)]
    return np.vstack([np.array(plan, np.int64).T, ends])


def _beyond(pages: PageTimes, rising: Integers, cuts: Integers) -> Integers:
    """Per cut the end of the first page of events that is behind it."""
    held = np.flatnonzero(pages.events)
    behind = np.searchsorted(held, np.searchsorted(rising, cuts))
    ends: Integers = np.append(held + 1, len(rising))[behind]
    return ends
