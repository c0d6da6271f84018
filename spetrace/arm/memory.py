"""Where in memory a load or store hit or missed, by its data source or else by its events.

Source: Linux 6.19 tools/perf/util/arm-spe.c, `arm_spe__synth_data_source`: what perf prints as
`data_src`. As there, nothing is told of a store on a CPU with a known data source encoding, and a
load goes by its events where its data source doesn't tell. Other than there:

* a load without a data source packet isn't taken for one with data source 0;
* operations that are neither loads nor stores have no memory access (perf gives one to SVE and SME
  operations and, as it shares their flag bits, to calls and returns);
* an unset event SNOOPED never means "no snoop" (in perf it does where the recording's metadata say
  that the CPU has the event).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from spetrace.arm.data_source import data_source, data_source_table
from spetrace.arm.events import Event
from spetrace.arm.operation import decode_operation


class EventRule(NamedTuple):
    """A level that was hit or missed if all `required` event bits are set and none of `excluded`."""

    required: int
    excluded: int
    level: str
    hit: bool


LOAD_RULES: Final = (
    EventRule(Event.L1D_ACCESS.mask, Event.L1D_REFILL.mask, "L1", True),
    EventRule(Event.LFB.mask, 0, "LFB", True),
    EventRule(Event.L2D_ACCESS.mask, Event.L2D_MISS.mask, "L2", True),
    EventRule(Event.LLC_ACCESS.mask, Event.LLC_REFILL.mask, "L3", True),
    EventRule(Event.LLC_REFILL.mask, 0, "L3", False),
    EventRule(Event.L2D_MISS.mask, 0, "L2", False),
    EventRule(Event.L1D_REFILL.mask, 0, "L1", False),
)
"""The first that holds tells a load's level: the nearest hit, else the farthest miss."""

STORE_RULES: Final = (
    EventRule(Event.LLC_REFILL.mask, 0, "L3", False),
    EventRule(Event.LLC_ACCESS.mask, 0, "L3", True),
    EventRule(Event.L2D_MISS.mask, 0, "L2", False),
    EventRule(Event.L2D_ACCESS.mask, 0, "L2", True),
    EventRule(Event.L1D_REFILL.mask, 0, "L1", False),
    EventRule(Event.L1D_ACCESS.mask, 0, "L1", True),
)
"""The first that holds tells a store's level: the farthest that has an event."""


class MemoryAccess(NamedTuple):
    """What is known of a load's or store's way through memory; None where nothing is."""

    level: str | None = None
    """L1, LFB (line fill buffer), L2, L3, RAM, IO or ANY-CACHE."""
    hit: bool | None = None
    """Whether `level` had the data."""
    snoop: str | None = None
    """NONE, HIT or HITM: whether another cache had it, and modified it (HITM)."""
    peer: bool | None = None
    """It came from another core's or cluster's cache."""
    remote: bool | None = None
    """It came from another socket."""


def memory_access(
    operation_class: int,
    payload: int,
    events: int | None,
    data_source_value: int | None,
    midr: int | None,
) -> MemoryAccess | None:
    """The memory access of a record; None for one that is neither a load nor a store."""
    operation = decode_operation(operation_class, payload)
    if operation is None or not (operation.load or operation.store):
        return None
    remote = None if events is None else bool(events & Event.REMOTE_ACCESS.mask)
    if operation.store:
        if data_source_table(midr):
            return MemoryAccess(remote=remote)
        return MemoryAccess(*_by_rules(STORE_RULES, events), _snoop(events), remote=remote)
    source = None if data_source_value is None else data_source(data_source_value, midr)
    if source is None:
        return MemoryAccess(*_by_rules(LOAD_RULES, events), _snoop(events), remote=remote)
    return MemoryAccess(
        source.level,
        source.hit,
        source.snoop or _snoop(events),
        source.peer,
        source.remote or bool(remote),
    )


def _by_rules(rules: tuple[EventRule, ...], events: int | None) -> tuple[str | None, bool | None]:
    for rule in rules:
        if events is not None and events & (rule.required | rule.excluded) == rule.required:
            return rule.level, rule.hit
    return None, None


def _snoop(events: int | None) -> str | None:
    if events is None or not events & Event.SNOOPED.mask:
        return None
    return "HITM" if events & Event.HITM.mask else "HIT"
