"""What each vCPU thread's events lead to, followed in their order.

How it works: per thread it is kept which kvm_exit no kvm_entry has ended, and which faults wait for
one. A thread's faults are a list from each to the next, so the faults that wait are its end.
"""

from __future__ import annotations

from typing import Any, Final

import numba

ENTERS, EXITS, FAULTS, EMULATES = range(4)
"""Kinds of events: kvm_entry, kvm_exit, kvm_guest_fault, and any of MMIO."""
NONE: Final = -1
STATES: Final = 9
"""Per thread: the exit that no entry has ended and its time, the first fault that waits for an
entry, the first of those that are not emulated yet, the last fault, the first entry (its place and
time), the first exit, and the first entry after that."""
(
    OPEN_EXIT, OPEN_EXIT_NS, WAITING, NOT_EMULATED, LAST_FAULT,
    FIRST_ENTRY, FIRST_ENTRY_NS, FIRST_EXIT, ENTRY_AFTER_EXIT,
) = range(STATES)  # fmt: skip


@numba.njit(cache=True, nogil=True)
def follow(
    kinds: Any, slots: Any, orders: Any, times: Any, state: Any, counts: Any, exits: Any, faults: Any,
) -> None:  # fmt: skip
    """Take events in order; `state` has STATES numbers per thread, NONE where there is none yet.

    `counts` are the exits and faults so far. `exits` are per exit the time of its entry, whether
    there is one, and its first fault; `faults` per fault its exit, the place and time of its entry,
    how long from that exit to that entry, whether these are a pair, the next fault, and whether it
    is emulated.
    """
    entry_ns, is_paired, first_fault = exits
    fault_exit, fault_entry, fault_entry_ns, handled_ns, is_handled, following, emulated = faults
    for i in range(len(kinds)):
        own = state[slots[i]]
        kind = kinds[i]
        if kind == ENTERS:
            pending = own[OPEN_EXIT]
            if pending != NONE:
                entry_ns[pending] = times[i]
                is_paired[pending] = True
            fault = own[WAITING]
            while fault != NONE:
                fault_entry[fault] = orders[i]
                fault_entry_ns[fault] = times[i]
                if pending != NONE and fault_exit[fault] == pending:
                    handled_ns[fault] = times[i] - own[OPEN_EXIT_NS]
                    is_handled[fault] = True
                fault = following[fault]
            own[OPEN_EXIT] = own[WAITING] = own[NOT_EMULATED] = NONE
            if own[FIRST_ENTRY] == NONE:
                own[FIRST_ENTRY] = orders[i]
                own[FIRST_ENTRY_NS] = times[i]
            if own[FIRST_EXIT] != NONE and own[ENTRY_AFTER_EXIT] == NONE:
                own[ENTRY_AFTER_EXIT] = orders[i]
        elif kind == EXITS:
            own[OPEN_EXIT] = counts[0]
            own[OPEN_EXIT_NS] = times[i]
            counts[0] += 1
            if own[FIRST_EXIT] == NONE:
                own[FIRST_EXIT] = orders[i]
        elif kind == FAULTS:
            fault = counts[1]
            counts[1] += 1
            fault_exit[fault] = own[OPEN_EXIT]
            if own[OPEN_EXIT] != NONE and first_fault[own[OPEN_EXIT]] == NONE:
                first_fault[own[OPEN_EXIT]] = fault
            if own[LAST_FAULT] != NONE:
                following[own[LAST_FAULT]] = fault
            own[LAST_FAULT] = fault
            if own[WAITING] == NONE:
                own[WAITING] = fault
            if own[NOT_EMULATED] == NONE:
                own[NOT_EMULATED] = fault
        else:
            fault = own[NOT_EMULATED]
            while fault != NONE:
                emulated[fault] = True
                fault = following[fault]
            own[NOT_EMULATED] = NONE


@numba.njit(cache=True, nogil=True)
def intervals(is_entry: Any, slots: Any, times: Any, opened: Any, is_open: Any, out: Any) -> int:
    """Take kvm_entry and kvm_exit events in order; write the intervals that end, return how many.

    An interval is from an entry to the thread's next event of the two, if that is an exit; per
    thread `opened` has the time of an entry that is the thread's last event, where it `is_open`.
    `out` are threads, starts and ends.
    """
    thread, start, end = out
    count = 0
    for i in range(len(is_entry)):
        slot = slots[i]
        if is_entry[i]:
            opened[slot] = times[i]
            is_open[slot] = True
        elif is_open[slot]:
            thread[count] = slot
            start[count] = opened[slot]
            end[count] = times[i]
            is_open[slot] = False
            count += 1
    return count
