"""Events made from the host's trace, with their places in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spetrace.session.event_run import EventRun, Integers, concatenated


@dataclass(frozen=True)
class HostRun:
    """Events and, for each, its place in the host trace."""

    order: Integers
    run: EventRun


def joined(parts: Sequence[HostRun]) -> HostRun:
    """The events of one part after the other."""
    order = np.concatenate([np.zeros(0, np.int64), *(part.order for part in parts)])
    return HostRun(order, concatenated([part.run for part in parts]))


def in_recorded_order(parts: Sequence[HostRun]) -> HostRun:
    """All events as one run, in the order of the host trace."""
    both = joined(parts)
    by_order = np.argsort(both.order, kind="stable")
    return HostRun(both.order[by_order], both.run.part(by_order))
