"""Events as polars expressions over the column `events` of table spe_records; null gives null."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from spetrace.arm.events import Event, names_by_bit
from spetrace.arm.per_cpu import Midrs, by_cpu

EVENTS = pl.col("events")
CPU = pl.col("cpu")

_BITS_AT_A_TIME = 8
_Names = tuple[tuple[int, str], ...]


def events_named(events: pl.Expr = EVENTS, midrs: Midrs = None, cpu: pl.Expr = CPU) -> pl.Expr:
    """List of the names of the events that are set: `spetrace.arm.event_names` of each row."""
    return by_cpu(
        midrs,
        cpu,
        lambda midr: tuple(names_by_bit(midr).items()),
        lambda names: _named(events, names),
    )


def has_event(event: Event, events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether an event is set."""
    return events & pl.lit(event.mask, pl.UInt64) != 0


def exception_generated(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the operation generated an exception."""
    return has_event(Event.EXCEPTION_GEN, events)


def retired(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the operation was architecturally retired."""
    return has_event(Event.RETIRED, events)


def l1d_hit(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the level 1 data cache was accessed and not refilled."""
    return _hit(Event.L1D_ACCESS, Event.L1D_REFILL, events)


def l1d_miss(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the level 1 data cache was refilled."""
    return has_event(Event.L1D_REFILL, events)


def l2d_hit(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the level 2 data cache was accessed without a miss (SPEv1p4)."""
    return _hit(Event.L2D_ACCESS, Event.L2D_MISS, events)


def l2d_miss(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the access missed in the level 2 data cache (SPEv1p4)."""
    return has_event(Event.L2D_MISS, events)


def llc_hit(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the last level cache was accessed without a miss (optional event)."""
    return _hit(Event.LLC_ACCESS, Event.LLC_REFILL, events)


def llc_miss(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the access missed in the last level cache (optional event)."""
    return has_event(Event.LLC_REFILL, events)


def tlb_hit(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the TLB was accessed without a walk."""
    return _hit(Event.TLB_ACCESS, Event.TLB_REFILL, events)


def tlb_walk(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the access took a translation table walk: of stage 1 and stage 2 together."""
    return has_event(Event.TLB_REFILL, events)


def not_taken(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether a conditional branch was not taken."""
    return has_event(Event.NOT_TAKEN, events)


def mispredicted(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether a branch was mispredicted."""
    return has_event(Event.MISPRED, events)


def remote_access(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the access went to another socket (optional event)."""
    return has_event(Event.REMOTE_ACCESS, events)


def misaligned(events: pl.Expr = EVENTS) -> pl.Expr:
    """Whether the access was misaligned (SPEv1p1)."""
    return has_event(Event.ALIGNMENT, events)


def _hit(access: Event, miss: Event, events: pl.Expr) -> pl.Expr:
    either = pl.lit(access.mask | miss.mask, pl.UInt64)
    return events & either == pl.lit(access.mask, pl.UInt64)


def _named(events: pl.Expr, names: _Names) -> pl.Expr:
    words = [_words(events, run) for run in _runs(names)]
    joined = pl.concat_str(words, separator=" ", ignore_nulls=True).str.split(" ")
    nothing = pl.lit([], pl.List(pl.String))
    return pl.when(events == 0).then(nothing).when(events.is_not_null()).then(joined)


def _words(events: pl.Expr, run: _Names) -> pl.Expr:
    """The names of some neighbouring bits, by spaces; null where none is set."""
    low = run[0][0]
    codes = range(1, 1 << len(run))
    texts = [" ".join(name for n, (_, name) in enumerate(run) if code >> n & 1) for code in codes]
    code = events // pl.lit(1 << low, pl.UInt64) & pl.lit((1 << len(run)) - 1, pl.UInt64)
    return code.cast(pl.UInt8).replace_strict(
        pl.Series(list(codes), dtype=pl.UInt8), texts, default=None, return_dtype=pl.String
    )


def _runs(names: _Names) -> Iterator[_Names]:
    """The names in their order, cut where bits don't follow each other."""
    start = 0
    for n in range(1, len(names) + 1):
        if n == len(names) or n - start == _BITS_AT_A_TIME or names[n][0] != names[n - 1][0] + 1:
            yield names[start:n]
            start = n
