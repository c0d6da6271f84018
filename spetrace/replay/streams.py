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

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """One vCPU's records and ERETs; all places are positions in the log."""

    vm: int
    vcpu: int
    eligible: Integers
    """Places of the eligible records."""
    times: Integers
    """Their times, ns."""
    sums: Integers
    """Sums of their sizes: record k has sums[k + 1] - sums[k] bytes; one more than records."""
    others: Integers
    """Places of the other records."""
    erets: Integers
    """Places of the ERETs executed while E = 1, E0SPE = 1 and E1SPE = 0."""
    erets_to_el0: Integers
    """Those of them that go to EL0."""
    own: Integers
    """Places of the vCPU's register writes and buffer full events."""
    own_eligible: Integers
    """Eligible records before each of `own`."""

    @property
    def records(self) -> int:
        """All records, eligible or not."""
        return len(self.eligible) + len(self.others)


@dataclass(frozen=True)
class Registers:
    """What one vCPU's register writes make of E, E0SPE and E1SPE, one step per write."""

    places: Integers
    enable: npt.NDArray[np.bool_]
    """PMBLIMITR_EL1.E from that write on; with a first step for before it, as the next two."""
    e0spe: npt.NDArray[np.bool_]
    e1spe: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class VcpuEvents:
    """One vCPU's events as columns, in log order."""

    vm: int
    vcpu: int
    record_places: Integers
    record_times: Integers
    record_bytes: Integers
    level_places: Integers
    """Places of the events after which EL is known: register writes, ERETs, exceptions."""
    levels: npt.NDArray[np.uint8]
    eret_places: Integers
    eret_levels: npt.NDArray[np.uint8]
    own: Integers
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
    np.cumsum(sizes, out=sums[1:])
    step = np.searchsorted(events.registers.places, events.eret_places)
    registers = events.registers
    trappable = registers.enable[step] & registers.e0spe[step] & ~registers.e1spe[step]
    return Stream(
        events.vm,
        events.vcpu,
        places,
        times,
        sums,
        others,
        events.eret_places[trappable],
        events.eret_places[trappable & (events.eret_levels == 0)],
        events.own,
        np.searchsorted(places, events.own),
    )


def _eligible(events: VcpuEvents) -> npt.NDArray[np.bool_]:
    registers = events.registers
    at_el0 = registers.enable & registers.e0spe
    at_el1 = registers.enable & registers.e1spe
    bounds = np.searchsorted(events.record_places, registers.places)
    steps = np.diff(np.concatenate(([0], bounds, [len(events.record_places)])))
    if np.array_equal(at_el0, at_el1):
        return np.repeat(at_el0, steps)
    before = np.searchsorted(events.level_places, events.record_places)
    levels = np.concatenate((np.ones(1, np.uint8), events.levels))[before]
    return np.where(levels == 0, np.repeat(at_el0, steps), np.repeat(at_el1, steps))
