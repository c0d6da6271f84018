"""When each vCPU was in the guest, by the host's recording: intervals [kvm_entry, kvm_exit)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.session.event_run import Integers
from spetrace.session.host_merge import Stretch
from spetrace.session.host_names import ENTRY, EXIT
from spetrace.session.host_stretches import pids_of
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.thread_slots import ThreadSlots
from spetrace.session.track_kernel import NONE, intervals


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
    """Per vCPU of the VM that has a kvm_entry its guest time: from an entry to the thread's next
    event of the two, if that is an exit.
    """
    own = {c.tid: c.vcpu for m in machines.vms if m.vm == vm for c in m.vcpus if c.tid is not None}
    return {
        own[thread]: joined_intervals(start, end)
        for thread, (start, end) in thread_intervals(host).items()
        if thread in own
    }


def thread_intervals(host: HostTrace) -> dict[int, tuple[Integers, Integers]]:
    """Starts and ends of such intervals as recorded, by thread that has a kvm_entry."""
    slots = ThreadSlots()
    open_ns, is_open = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    parts: dict[int, list[tuple[Integers, Integers]]] = {}
    for stretch in host.stretches((ENTRY, EXIT)):
        is_entry, threads, times = _in_order(stretch)
        numbers = slots.of(threads)
        more = len(slots) - len(is_open)
        open_ns = np.append(open_ns, np.zeros(more, np.int64))
        is_open = np.append(is_open, np.zeros(more, np.bool_))
        out = np.empty((3, len(times)), np.int64)
        count = intervals(is_entry, numbers, times, open_ns, is_open, tuple(out))
        for number, part in _by_thread(out[:, :count]):
            parts.setdefault(number, []).append(part)
    firsts = host.tracks.firsts
    entered = firsts.thread[firsts.entry_order != NONE].tolist()
    nothing = np.zeros(0, np.int64)
    found = {int(slots.threads[n]): _concatenated(own) for n, own in parts.items()}
    return {thread: found.get(thread, (nothing, nothing)) for thread in entered}


def first_entry_ns(host: HostTrace, machines: Machines, vm: int) -> int:
    """Time of the VM's first kvm_entry; without one that of the trace's first event, else 0."""
    firsts = host.tracks.firsts
    own = (machines.vm_of(firsts.thread) == vm) & (firsts.entry_order != NONE)
    if not own.any():
        return host.first_ns or 0
    return int(firsts.entry_ns[own][np.argmin(firsts.entry_order[own])])


def _in_order(
    stretch: Stretch,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int32], Integers]:
    """Of the entries and exits which are entries, their threads and times."""
    both = [
        frame.select("order", "time_ns", "pid", entry=pl.lit(name == ENTRY))
        for name, frame in stretch.items()
    ]
    if not both:
        return np.zeros(0, np.bool_), np.zeros(0, np.int32), np.zeros(0, np.int64)
    ordered = pl.concat(both).sort("order")
    return ordered["entry"].to_numpy(), pids_of(ordered), ordered["time_ns"].to_numpy()


def _by_thread(found: Integers) -> Iterator[tuple[int, tuple[Integers, Integers]]]:
    """The columns thread, start and end of `found` thread by thread."""
    numbers, start, end = found[:, np.argsort(found[0], kind="stable")]
    distinct, at = np.unique(numbers, return_index=True)
    starts, ends = np.split(start, at[1:]), np.split(end, at[1:])
    for number, *part in zip(distinct.tolist(), starts, ends, strict=False):
        yield number, (part[0], part[1])


def _concatenated(parts: list[tuple[Integers, Integers]]) -> tuple[Integers, Integers]:
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
