"""An SPE load on recorded vCPUs: a record every so many ns of guest time, and the buffer's laps."""

from __future__ import annotations

from collections.abc import Iterator
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
from spetrace.session.options import AssumedSpe

RECORDS_MAX: Final = 1 << 25
"""Of all vCPUs together: a record of the load takes some 80 bytes until it is replayed."""
_BUFFER_UNIT: Final = 8192
"""Half a buffer ends at a multiple of 4 KiB, the unit of PMBLIMITR_EL1.LIMIT."""
_BUFFER_MAX: Final = 1 << 28
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


def assumed_runs(host: HostTrace, machines: Machines, load: AssumedSpe) -> Iterator[EventRun]:
    """The load's events for each vCPU that has a kvm_entry, by VM and vCPU.

    Raises UsageError where the period makes more records than can be held.
    """
    inside = thread_intervals(host)
    threads = {vcpu.tid for vm in machines.vms for vcpu in vm.vcpus}
    spent = [guest_ns(*pair).sum(dtype=float) for tid, pair in inside.items() if tid in threads]
    _check_count(sum(spent), load.period_ns)
    firsts = host.tracks.firsts
    first_ns = dict(zip(firsts.thread.tolist(), firsts.entry_ns.tolist(), strict=True))
    for vm in machines.vms:
        for vcpu in vm.vcpus:
            if vcpu.tid not in inside:
                continue
            times = record_times(*inside.pop(vcpu.tid), load.period_ns)
            start = first_ns[vcpu.tid]
            yield assumed_run(start, times, load, vm.vm, vcpu.vcpu)


def guest_ns(entry_ns: Integers, exit_ns: Integers) -> Integers:
    """The length of each interval [entry, exit): 0 where the exit is not after the entry."""
    length: Integers = np.maximum(exit_ns - entry_ns, 0)
    return length


def _check_count(spent_ns: float, period_ns: int) -> None:
    count = spent_ns / period_ns
    if count > RECORDS_MAX:
        shortest = _rounded_up(ceil(spent_ns / RECORDS_MAX))
        raise UsageError(
            f"--assume-spe period_ns={period_ns} would make {int(count):,} records; "
            f"period_ns={shortest} or more fits"
        )


def _rounded_up(number: int) -> int:
    """The next number of two digits and zeros."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // unit) * unit


def record_times(entry_ns: Integers, exit_ns: Integers, period_ns: int) -> Integers:
    """When records come: one at each multiple of `period_ns` of guest time.

    Guest time is that of the intervals [entry, exit); one due exactly at an exit comes at the next
    interval's entry.
    """
    spent = guest_ns(entry_ns, exit_ns)
    ends = np.cumsum(spent)
    total = int(ends[-1]) if len(ends) else 0
    due = np.arange(period_ns, total, period_ns, dtype=np.int64)
    interval = np.searchsorted(ends, due, "right")
    due += (entry_ns - (ends - spent))[interval]
    return due


def assumed_run(start_ns: int, times: Integers, load: AssumedSpe, vm: int, vcpu: int) -> EventRun:
    """One vCPU's events: the buffer programmed at `start_ns`, records, and a lap per full half."""
    half = load.buffer_bytes // 2
    base = buffer_va(vcpu)
    per_lap = half // load.record_bytes
    place = np.arange(len(times))
    place += 3 + place // per_lap * len(_LAP)
    laps = len(times) // per_lap
    count = 3 + len(times) + laps * len(_LAP)
    code = np.full(count, SPE_RECORD, np.uint8)
    value = np.full(count, load.record_bytes, np.uint64)
    ts = np.empty(count, np.int64)
    ts[:3], ts[place] = start_ns, times
    code[:3] = PMBPTR_EL1, PMBLIMITR_EL1, PMSCR_EL1
    value[:3] = base, (base + half) | PMBLIMITR_E, PMSCR_E0SPE | PMSCR_E1SPE
    last = place[per_lap - 1 :: per_lap][:laps, None]
    steps = last + np.arange(1, len(_LAP) + 1)
    ts[steps], code[steps] = ts[last], _LAP
    value[steps] = _lap_values(base, half, laps)
    return event_run(ts, code, vm=vm, vcpu=vcpu, value=value)


def _lap_values(base: int, half: int, laps: int) -> Addresses:
    """Per lap the values that go with _LAP: the other half each time."""
    start = np.uint64(base) + (np.arange(1, laps + 1, dtype=np.uint64) % 2) * np.uint64(half)
    nothing = np.zeros(laps, np.uint64)
    limit = (start + np.uint64(half)) | np.uint64(PMBLIMITR_E)
    return np.stack((nothing, start, limit, nothing), axis=1)
