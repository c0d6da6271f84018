"""Events of an SPE record: what each bit of the events packet says.

Sources: Arm ARM (DDI 0487), "Events packet"; Linux 6.19
tools/perf/util/arm-spe-decoder/arm-spe-pkt-decoder.c, whose words for `perf report -D` the names
are.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from spetrace.arm.midr import NEOVERSE_N1, cpu_model

EVENTS_BITS: Final = 64
"""Width of the widest events packet; the high bytes of a narrower one are zero."""


class Event(IntEnum):
    """Bits of the events packet that mean the same on every CPU.

    12 to 15, 26 to 31 (before SPEv1p4) and 48 to 63 are implementation defined; 32 to 47 reserved.
    """

    EXCEPTION_GEN = 0
    RETIRED = 1
    L1D_ACCESS = 2
    L1D_REFILL = 3
    TLB_ACCESS = 4
    TLB_REFILL = 5
    """A translation table walk: of stage 1 and stage 2 together."""
    NOT_TAKEN = 6
    MISPRED = 7
    LLC_ACCESS = 8
    LLC_REFILL = 9
    REMOTE_ACCESS = 10
    ALIGNMENT = 11
    TXN = 16
    SVE_PARTIAL_PRED = 17
    SVE_EMPTY_PRED = 18
    L2D_ACCESS = 19
    L2D_MISS = 20
    HITM = 21
    LFB = 22
    """The line was fetched shortly before: a hit in the line fill buffer."""
    SNOOPED = 23
    STREAMING_SVE = 24
    SMCU = 25

    @property
    def mask(self) -> int:
        """The packet's bit."""
        return 1 << self


EVENT_NAMES: Final = {int(event): event.name.replace("_", "-") for event in Event}
"""Bit to name, for every CPU."""

EVENT_NAMES_BY_CPU: Final = {NEOVERSE_N1: {12: "LATE-PREFETCH"}}
"""What CPUs make of implementation defined bits."""


def names_by_bit(midr: int | None = None) -> dict[int, str]:
    """Every bit's name, in perf's order: common ones, then the CPU's own, then `IMPDEF:bit`.

    As in perf, reserved bits and those that the CPU doesn't name are all `IMPDEF`.
    """
    own = EVENT_NAMES_BY_CPU.get(cpu_model(midr), {}) if midr is not None else {}
    named = EVENT_NAMES | own
    return named | {n: f"IMPDEF:{n}" for n in range(EVENTS_BITS) if n not in named}


def event_names(events: int, midr: int | None = None) -> list[str]:
    """Names of the events that are set, in perf's order (see `names_by_bit`).

    >>> event_names(0x1016)
    ['RETIRED', 'L1D-ACCESS', 'TLB-ACCESS', 'IMPDEF:12']
    """
    return [name for bit, name in names_by_bit(midr).items() if events >> bit & 1]
