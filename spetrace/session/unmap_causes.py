"""What stage-2 unmaps were for, as far as the host's trace tells.

KVM's events name no reason. The events around them do (Linux 6.12): try_to_migrate_one (mm/rmap.c)
notifies KVM, which unmaps, and then traces set_migration_pte for an address in the range that it
notified of; and ksmd, kswapd and kcompactd are threads of one purpose each. A memslot that goes away is an
event of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.session.event_columns import unsigned
from spetrace.session.event_run import UNKNOWN_CAUSE, Integers
from spetrace.session.host_merge import Stretch
from spetrace.session.host_names import MEMSLOT, S2_UNMAP, UNMAP_HVA
from spetrace.session.host_trace import HostTrace
from spetrace.tables.events import CAUSES

SET_MIGRATION: Final = "set_migration_pte"
_FIELDS: Final = {UNMAP_HVA: ("start", "end"), S2_UNMAP: (), SET_MIGRATION: ("addr",)}
_KINDS: Final = tuple(_FIELDS)
_NOTIFIES, _UNMAPS, _MIGRATES = range(3)
_MOST_CARRIED: Final = 4096
"""Unmaps after one notifier of a thread that wait for what comes next."""
_KSM, _SWAP, _MIGRATE, _COMPACT, _MEMSLOT = (
    CAUSES.index(name) for name in ("ksm", "swap", "migrate", "compact", "memslot")
)
_GROUP: Final = ("pid", "notifier")

Codes = npt.NDArray[np.uint8]


class UnmapCauses:
    """Per unmap of the host's trace its cause, as a place in CAUSES."""

    def __init__(self, host: HostTrace) -> None:
        self._orders = {name: host.columns(name).order for name in (UNMAP_HVA, S2_UNMAP)}
        self._codes = {
            name: np.full(len(order), UNKNOWN_CAUSE, np.uint8)
            for name, order in self._orders.items()
        }
        if any(map(len, self._codes.values())):
            for events in _told(host):
                self._keep(events)
        self._orders[MEMSLOT] = host[MEMSLOT].order
        self._codes[MEMSLOT] = np.full(len(self._orders[MEMSLOT]), _MEMSLOT, np.uint8)

    def at(self, order: Integers) -> Codes:
        """The causes of the unmaps that came of the events at these places in the host trace."""
        found = np.full(len(order), UNKNOWN_CAUSE, np.uint8)
        for name, places in self._orders.items():
            if len(places):
                row = np.searchsorted(places, order).clip(max=len(places) - 1)
                found = np.where(places[row] == order, self._codes[name][row], found)
        return found

    def _keep(self, events: pl.DataFrame) -> None:
        for kind in (_NOTIFIES, _UNMAPS):
            own = events.filter(kind=kind)
            self._codes[_KINDS[kind]][own["place"].to_numpy()] = own["cause"].to_numpy()


def _told(host: HostTrace) -> Iterator[pl.DataFrame]:
    """Notifiers and unmaps with their cause, a stretch at a time; what is not sure yet comes again."""
    counts = [0] * len(_KINDS)
    waiting: pl.DataFrame | None = None
    for stretch in host.stretches(_KINDS):
        events = [
            _events(stretch, kind, counts) for kind, name in enumerate(_KINDS) if name in stretch
        ]
        if not events:
            continue
        before = [] if waiting is None else [waiting]
        step = pl.concat([*before, *events]).sort("order")
        told = _with_cause(step)
        yield told.filter(pl.col("kind") != _MIGRATES)
        last = pl.col("notifier") == pl.col("notifier").max().over("pid")
        open_ = told.filter(last & (pl.col("notifier") > 0))
        waiting = open_.filter(pl.len().over("pid") <= _MOST_CARRIED).select(step.columns)


def _events(stretch: Stretch, kind: int, counts: list[int]) -> pl.DataFrame:
    """Events of one tracepoint, of known threads: `place` is theirs among all of it."""
    frame = stretch[_KINDS[kind]]
    first, counts[kind] = counts[kind], counts[kind] + len(frame)
    own = {field: unsigned(frame, field) for field in _FIELDS[_KINDS[kind]]}
    nothing = pl.lit(None, pl.UInt64)
    return frame.select(
        "order",
        "pid",
        pl.col("comm").cast(pl.String),
        pl.lit(kind, pl.UInt8).alias("kind"),
        pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("place"),
        *(own.get(field, nothing).alias(field) for field in ("start", "end", "addr")),
    ).filter(pl.col("pid") >= 0)


def _with_cause(events: pl.DataFrame) -> pl.DataFrame:
    notifies = pl.col("kind") == _NOTIFIES
    numbered = events.with_columns(notifier=notifies.cast(pl.UInt32).cum_sum().over("pid"))
    inside = pl.col("addr").is_between(
        pl.col("start").first().over(_GROUP), pl.col("end").first().over(_GROUP), closed="left"
    )
    later = inside.fill_null(False).cast(pl.UInt32).cum_sum(reverse=True).over(_GROUP) > 0
    comm = pl.col("comm").fill_null("")
    cause = (
        pl.when(comm.str.contains(r"^kcompactd[0-9]+$"))
        .then(_COMPACT)
        .when(later)
        .then(_MIGRATE)
        .when(comm == "ksmd")
        .then(_KSM)
        .when(comm.str.contains(r"^kswapd[0-9]+$"))
        .then(_SWAP)
        .otherwise(UNKNOWN_CAUSE)
    )
    return numbered.with_columns(cause=cause.cast(pl.UInt8))
