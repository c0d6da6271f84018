"""When each vCPU was in the guest, by the host's recording: intervals [kvm_entry, kvm_exit)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spetrace.session.event_run import Integers
from spetrace.session.host_trace import ENTRY, EXIT, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.thread_order import NEVER, ThreadOrder, taken, thread_keys


@dataclass(frozen=True)
class GuestTime:
    """One vCPU's intervals: starts and ends in order, without overlap."""

    start: Integers
    end: Integers

    def widened(self, by_ns: int) -> GuestTime:
        """Each interval longer by `by_ns` at both ends; what then overlaps becomes one."""
        return joined_intervals(self.start - by_ns, self.end + by_ns)

    def holds(self, times: Integers) -> np.ndarray:
        """Which times lie in the guest."""
        place = np.searchsorted(self.start, times, "right") - 1
        inside: np.ndarray = (place >= 0) & (times < self.end[place])
        return inside


def joined_intervals(start: Integers, end: Integers) -> GuestTime:
    """Intervals in any order, empty and overlapping ones among them, as guest time."""
    held = end > start
    order = np.argsort(start[held], kind="stable")
    start, end = start[held][order], np.maximum.accumulate(end[held][order])
    first = np.ones(len(start), bool)
    first[1:] = start[1:] > end[:-1]
    last = np.append(first[1:], True) if len(first) else first
    return GuestTime(start[first], end[last])


def guest_times(host: HostTrace, machines: Machines, vm: int) -> dict[int, GuestTime]:
    """Per vCPU of the VM its guest time: a kvm_entry whose next event of the two is an exit."""
    entries, exits = host[ENTRY], host[EXIT]
    keys = thread_keys(entries)
    next_entry, next_exit = ThreadOrder(entries).next_of(keys), ThreadOrder(exits).next_of(keys)
    inside = taken(exits.order, next_exit, NEVER) < taken(entries.order, next_entry, NEVER)
    start = entries.time_ns[inside]
    end = exits.time_ns[next_exit[inside]]
    thread = entries.pid[inside]
    own = machines.vm_of(thread) == vm
    vcpu = machines.vcpu_of(thread)
    return {
        int(n): joined_intervals(start[own & (vcpu == n)], end[own & (vcpu == n)])
        for n in np.unique(vcpu[own])
    }
