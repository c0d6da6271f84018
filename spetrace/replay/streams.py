"""The sample records and ERETs of one vCPU as columns that a replay can search.

What a record meets depends on the strategy only through S, the pointer and the mappings. Whether
profiling would be enabled for it but for S depends on the log alone (E, E0SPE, E1SPE, EL), so the
records are split by that once, for all strategies: *eligible* ones, whose sizes are summed up, and
the others, which only need counting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spetrace.replay.log_columns import Places

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def count_before(places: Places, place: int) -> int:
    """How many of `places` lie before `place`."""
    if not len(places) or place > int(places[-1]):
        return len(places)
    return int(places.searchsorted(places.dtype.type(place)))


@dataclass(frozen=True)
class Stream:
    """One vCPU's records and ERETs; all places are positions in the log."""

    vm: int
    vcpu: int
    eligible: Places
    """Places of the eligible records."""
    times: Integers
    """Their times, ns."""
    sums: Integers
    """Sums of their sizes: record k has sums[k + 1] - sums[k] bytes; one more than records."""
    others: Places
    """Places of the other records."""
    erets: Places
    """Places of the ERETs executed while E = 1, E0SPE = 1 and E1SPE = 0."""
    erets_to_el0: Places
    """Those of them that go to EL0."""
    own_eligible: Integers
    """Eligible records before each of the vCPU's register writes and buffer full events."""

    @property
    def records(self) -> int:
        """All records, eligible or not."""
        return len(self.eligible) + len(self.others)


@dataclass(frozen=True)
class Registers:
    """What one vCPU's register writes make of E, E0SPE and E1SPE."""

    places: Places
    """Where the writes are; the flags have one step more, for before the first."""
    enable: Flags
    e0spe: Flags
    e1spe: Flags


@dataclass(frozen=True)
class VcpuEvents:
    """One vCPU's events as columns, in log order."""

    vm: int
    vcpu: int
    record_places: Places
    record_times: Integers
    record_bytes: npt.NDArray[np.uint32]
    level_places: Places
    """Places of the events after which EL is known: register writes, ERETs, exceptions."""
    levels: npt.NDArray[np.uint8]
    eret_places: Places
    eret_levels: npt.NDArray[np.uint8]
    own: Places
    """Places of register writes and buffer full events."""
    registers: Registers


def build_stream(events: VcpuEvents) -> Stream:
    """Split one vCPU's records by whether profiling is enabled for them but for S."""
    eligible = _eligible(events)
    sizes = events.record_bytes
    places, times, others = events.record_places, events.record_times, events.record_places[:0]
    if not eligible.all():
        others = places[~eligible]
        places, times, sizes = places[eligible], times[eligible], sizes[eligible]
    sums = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, dtype=np.int64, out=sums[1:])
    trappable = _trappable(events)
    return Stream(
        events.vm,
        events.vcpu,
        places,
        times,
        sums,
        others,
        events.eret_places[trappable],
        events.eret_places[trappable & (events.eret_levels == 0)],
        np.searchsorted(places, events.own.astype(places.dtype)),
    )


def _eligible(events: VcpuEvents) -> Flags:
    registers, records = events.registers, events.record_places
    at_el0 = registers.enable & registers.e0spe
    at_el1 = registers.enable & registers.e1spe
    bounds = np.searchsorted(records, registers.places.astype(records.dtype))
    steps = np.diff(np.concatenate(([0], bounds, [len(records)])))
    if np.array_equal(at_el0, at_el1):
        return np.repeat(at_el0, steps)
    before = np.searchsorted(events.level_places, records)
    levels = np.concatenate((np.ones(1, np.uint8), events.levels))[before]
    return np.where(levels == 0, np.repeat(at_el0, steps), np.repeat(at_el1, steps))


def _trappable(events: VcpuEvents) -> Flags:
    registers = events.registers
    step = np.searchsorted(registers.places, events.eret_places)
    return registers.enable[step] & registers.e0spe[step] & ~registers.e1spe[step]
