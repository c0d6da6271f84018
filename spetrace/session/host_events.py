"""Events made from the host's trace, with their places in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spetrace.session.event_run import EventRun, Integers, concatenated, event_run
from spetrace.session.ordered_rows import in_order, is_rising
from spetrace.spooled import AnyArray, Column, let_go

_STAGE2: Final = ("ts", "vm", "code", "value", "ipa", "pages", "row")
STAGE2_ROW: Final = np.dtype(
    [
        ("order", np.int64),
        ("ts", np.int64),
        ("vm", np.uint16),
        ("code", np.uint8),
        ("value", np.uint64),
        ("ipa", np.uint64),
        ("pages", np.uint64),
        ("row", np.uint64),
    ]
)
"""A stage-2 event and its place: what EventRun has of such."""


@dataclass(frozen=True)
class HostRun:
    """Events and, for each, its place in the host trace."""

    order: Integers
    run: EventRun

    def part(self, select: Any) -> HostRun:
        """The events that a slice, a mask or an index array selects."""
        return HostRun(self.order[select], self.run.part(select))

    def let_go(self) -> None:
        """Give memory back that holds events which are in files."""
        let_go(self.order)


def joined(parts: Sequence[HostRun]) -> HostRun:
    """The events of one part after the other."""
    order = np.concatenate([np.zeros(0, np.int64), *(part.order for part in parts)])
    return HostRun(order, concatenated([part.run for part in parts]))


def in_recorded_order(parts: Sequence[HostRun]) -> HostRun:
    """All events as one run, in the order of the host trace."""
    filled = [part for part in parts if len(part.order)]
    if len(filled) == 1 and is_rising(filled[0].order):
        return filled[0]
    both = joined(parts)
    return both.part(np.argsort(both.order, kind="stable"))


def stage2_in_order(parts: Iterable[HostRun]) -> HostRun:
    """The same of any number of stage-2 events, which go to files where they are many."""
    rows = Column(STAGE2_ROW)
    for part in parts:
        rows.add(stage2_rows(part))
    return run_of(in_order(rows.finish()))


def stage2_rows(part: HostRun) -> AnyArray:
    """Stage-2 events as STAGE2_ROW."""
    rows = np.empty(len(part.order), STAGE2_ROW)
    rows["order"] = part.order
    for name in _STAGE2:
        rows[name] = getattr(part.run, name)
    return rows


def run_of(rows: AnyArray) -> HostRun:
    """Rows of STAGE2_ROW as events."""
    columns = {name: rows[name] for name in _STAGE2}
    return HostRun(rows["order"], event_run(columns.pop("ts"), columns.pop("code"), **columns))
