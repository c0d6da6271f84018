"""An SPE load on recorded vCPUs: a record every so many ns of guest time, and the buffer's laps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from spetrace.arm.registers import PMBLIMITR_E, PMSCR_E0SPE, PMSCR_E1SPE
from spetrace.errors import UsageError
from spetrace.session.buffers import buffer_va
from spetrace.session.event_run import (
    BUFFER_FULL,
    PMBLIMITR_EL1,
    PMBPTR_EL1,
    PMBSR_EL1,
    PMSCR_EL1,
    SPE_RECORD,
    Addresses,
    EventRun,
    Integers,
    event_run,
)
from spetrace.session.guest_time import thread_intervals
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.merge import NEVER, TimedRun
from spetrace.session.options import AssumedSpe

RECORDS_MAX: Final = 1 << 28
"""Of all vCPUs together: some minutes of replay, and 20 bytes of temporary files for each."""
HELD_RECORDS_MAX: Final = 1 << 25
"""Where the event log is held in memory: a record takes some 80 bytes then."""
_RECORDS_AT_A_TIME: Final = 1 << 15
_BUFFER_UNIT: Final = 8192
"""Half a buffer ends at a multiple of 4 KiB, the unit of PMBLIMITR_EL1.LIMIT."""
_BUFFER_MAX: Final = 1 << 28
_START: Final = (PMBPTR_EL1, PMBLIMITR_EL1, PMSCR_EL1)
_LAP: Final = (BUFFER_FULL, PMBPTR_EL1, PMBLIMITR_EL1, PMBSR_EL1)


def check_assumed_spe(load: AssumedSpe) -> None:
    """Raise UsageError for a load that no SPU and no driver would have."""
    if load.period_ns < 1:
        raise UsageError(f"--assume-spe period_ns={load.period_ns}: must be 1 or more")
    if not 0 < load.buffer_bytes <= _BUFFER_MAX or load.buffer_bytes % _BUFFER_UNIT:
        raise UsageError(
            f"--assume-spe buffer_bytes={load.buffer_bytes}: must be a multiple of {_BUFFER_UNIT}, "
            f"{_BUFFER_MAX} at most"
        )
    if not 1 <= load.record_bytes <= load.buffer_bytes // 2:
        raise UsageError(
            f"--assume-spe record_bytes={load.record_bytes}: must be from 1 to half of buffer_bytes"
        )


@dataclass(frozen=True)
class AssumedGuest:
    """The load on one vCPU."""

    vm: int
    vcpu: int
    load: AssumedSpe
    start_ns: int
    """When its buffer is programmed."""
    clock: GuestClock

    @property
    def first_ns(self) -> int:
        """Time of its earliest event."""
        return min(self.start_ns, self.clock.earliest_ns(0))

    def runs(self) -> Iterator[TimedRun]:
        """Its events, a stretch of records after the other."""
        count = self.clock.records(self.load.period_ns)
        for first in range(0, max(count, 1), _RECORDS_AT_A_TIME):
            end = min(first + _RECORDS_AT_A_TIME, count)
            due = np.arange(first + 1, end + 1, dtype=np.int64) * self.load.period_ns
            later = (
                self.clock.earliest_ns((end + 1) * self.load.period_ns) if end < count else NEVER
            )
            yield TimedRun(self._run(self.clock.times(due), first), later)

    def _run(self, times: Integers, first: int) -> EventRun:
        start_ns = self.start_ns if first == 0 else None
        return assumed_run(start_ns, times, self.load, self.vm, self.vcpu, first)


def assumed_guests(
    host: HostTrace, machines: Machines, load: AssumedSpe, *, is_held: bool
) -> list[AssumedGuest]:
    """The load on each vCPU that has a kvm_entry, by VM and vCPU.

    Raises UsageError where the period makes more records than are reasonable, or than can be held
    where the log `is_held` in memory.
    """
    inside = thread_intervals(host)
    threads = {vcpu.tid for vm in machines.vms for vcpu in vm.vcpus}
    spent = [guest_ns(*pair).sum(dtype=float) for tid, pair in inside.items() if tid in threads]
    _check_count(sum(spent), load.period_ns, HELD_RECORDS_MAX if is_held else RECORDS_MAX)
    firsts = host.tracks.firsts
    first_ns = dict(zip(firsts.thread.tolist(), firsts.entry_ns.tolist(), strict=True))
    return [
        AssumedGuest(vm.vm, vcpu.vcpu, load, first_ns[vcpu.tid], GuestClock(*inside.pop(vcpu.tid)))
        for vm in machines.vms
        for vcpu in vm.vcpus
        if vcpu.tid in inside
    ]


def guest_ns(entry_ns: Integers, exit_ns: Integers) -> Integers:
    """The length of each interval [entry, exit): 0 where the exit is not after the entry."""
    length: Integers = np.maximum(exit_ns - entry_ns, 0)
    return length


def _check_count(spent_ns: float, period_ns: int, most: int) -> None:
    count = spent_ns / period_ns
    if count > most:
        shortest = _rounded_up(ceil(spent_ns / most))
        raise UsageError(
            f"--assume-spe period_ns={period_ns} would make {int(count):,} records; "
            f"period_ns={shortest} or more fits"
        )


def _rounded_up(number: int) -> int:
    """The next number of two digits and zeros."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // unit) * unit


class GuestClock:
    """One vCPU's guest time: the ns that it spent in the intervals [entry, exit), in their order."""

    def __init__(self, entry_ns: Integers, exit_ns: Integers) -> None:
        spent = guest_ns(entry_ns, exit_ns)
        self._ends = np.cumsum(spent)
        self._behind = entry_ns - (self._ends - spent)
        last = np.array([NEVER])
        filled = np.where(spent > 0, entry_ns, NEVER)
        self._earliest = np.minimum.accumulate(np.concatenate((filled, last))[::-1])[::-1]

    def records(self, period_ns: int) -> int:
        """How many multiples of `period_ns` come before its end."""
        return max(int(self._ends[-1]) - 1, 0) // period_ns if len(self._ends) else 0

    def times(self, due: Integers) -> Integers:
        """When the vCPU has been in the guest so long; at an exit, that is the next entry."""
        return due + self._behind[np.searchsorted(self._ends, due, "right")]

    def earliest_ns(self, due: int) -> int:
        """A time that nothing comes before from this guest time on."""
        interval = int(np.searchsorted(self._ends, due, "right"))
        if interval == len(self._ends):
            return NEVER
        return min(due + int(self._behind[interval]), int(self._earliest[interval + 1]))


def assumed_run(
    start_ns: int | None, times: Integers, load: AssumedSpe, vm: int, vcpu: int, first: int = 0
) -> EventRun:
    """One vCPU's records from the `first` on, a lap after the last of each full half, and before them
    the buffer's programming at `start_ns`, where given.
    """
    half, base = load.buffer_bytes // 2, buffer_va(vcpu)
    per_lap = half // load.record_bytes
    opening = 0 if start_ns is None else len(_START)
    number = np.arange(first, first + len(times))
    laps_before = number // per_lap - first // per_lap
    place = opening + np.arange(len(times)) + laps_before * len(_LAP)
    last = place[(number + 1) % per_lap == 0][:, None]
    count = opening + len(times) + len(last) * len(_LAP)
    code = np.full(count, SPE_RECORD, np.uint8)
    value = np.full(count, load.record_bytes, np.uint64)
    ts = np.empty(count, np.int64)
    ts[place] = times
    if start_ns is not None:
        ts[:opening], code[:opening] = start_ns, _START
        value[:opening] = base, (base + half) | PMBLIMITR_E, PMSCR_E0SPE | PMSCR_E1SPE
    steps = last + np.arange(1, len(_LAP) + 1)
    ts[steps], code[steps] = ts[last], _LAP
    value[steps] = _lap_values(base, half, first // per_lap, len(last))
    return event_run(ts, code, vm=vm, vcpu=vcpu, value=value)


def _lap_values(base: int, half: int, first: int, laps: int) -> Addresses:
    """Per lap from the `first` on the values that go with _LAP: the other half each time."""
    number = np.arange(first + 1, first + laps + 1, dtype=np.uint64)
    start = np.uint64(base) + (number % 2) * np.uint64(half)
    nothing = np.zeros(laps, np.uint64)
    limit = (start + np.uint64(half)) | np.uint64(PMBLIMITR_E)
    return np.stack((nothing, start, limit, nothing), axis=1)
