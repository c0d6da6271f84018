"""What the kvm_entry, kvm_exit, fault and MMIO events of each thread lead to, gathered while they go by.

Of entries and exits themselves nothing is kept but when each exit ended, and its first fault: there
are as many as a recording is long. What is kept of many is on disk (`spooled`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.session import track_kernel as kernel
from spetrace.session.event_run import Integers
from spetrace.session.host_merge import Stretch
from spetrace.session.host_names import ENTRY, EXIT, GUEST_FAULT, MMIO
from spetrace.session.host_stretches import pids_of
from spetrace.session.thread_slots import ThreadSlots
from spetrace.spooled import let_go, room

_KINDS: Final = {
    ENTRY: kernel.ENTERS, EXIT: kernel.EXITS, GUEST_FAULT: kernel.FAULTS,
    **dict.fromkeys(MMIO, kernel.EMULATES),
}  # fmt: skip
_Flags = npt.NDArray[np.bool_]
_NONE: Final = np.int64(kernel.NONE)


class ExitTracks(NamedTuple):
    """Per kvm_exit when the thread's next kvm_entry is, if no other exit comes before it."""

    entry_ns: Integers
    is_paired: _Flags
    first_fault: Integers
    """The first kvm_guest_fault before that entry, or NONE; empty where a recording has no faults."""

    @classmethod
    def room(cls, exits: int, faults: int) -> ExitTracks:
        """Arrays for so many exits of which nothing is known yet."""
        entry_ns, is_paired = room(exits, np.int64(0), np.bool_(False))
        (first_fault,) = room(exits if faults else 0, _NONE)
        return cls(entry_ns, is_paired, first_fault)

    def rows(self, select: slice) -> ExitTracks:
        """Some of them."""
        return ExitTracks._make(column[select] for column in self)


class FaultTracks(NamedTuple):
    """Per kvm_guest_fault what comes before and after it on its thread; NONE where nothing does."""

    exit_row: Integers
    """The kvm_exit that it belongs to; none where a kvm_entry is between them."""
    entry_order: Integers
    """Place of the next kvm_entry."""
    entry_ns: Integers
    handled_ns: Integers
    """From that exit to that entry, where `is_handled`: where they are a pair."""
    is_handled: _Flags
    following: Integers
    """The next fault."""
    is_mmio: _Flags
    """An MMIO event comes before that entry."""

    @classmethod
    def room(cls, count: int) -> FaultTracks:
        """Arrays for `count` faults of which nothing is known yet."""
        no = np.bool_(False)
        return cls._make(room(count, _NONE, _NONE, _NONE, _NONE, no, _NONE, no))

    def rows(self, select: slice) -> FaultTracks:
        """Some of them."""
        return FaultTracks._make(column[select] for column in self)


class ThreadFirsts(NamedTuple):
    """Per thread places in the host trace and times of its first events; NONE where it has none."""

    thread: npt.NDArray[np.int32]
    entry_order: Integers
    entry_ns: Integers
    exit_order: Integers
    entry_after_exit: Integers
    """The first kvm_entry after the first kvm_exit."""


class VcpuTracks:
    """Follows all threads; `counts` are how many events there are of each tracepoint."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        exits, faults = counts.get(EXIT, 0), counts.get(GUEST_FAULT, 0)
        self._exits = ExitTracks.room(exits, faults)
        self._faults = FaultTracks.room(faults)
        self._slots = ThreadSlots()
        self._state = np.empty((0, kernel.STATES), np.int64)
        self._counts = np.zeros(2, np.int64)

    def add(self, stretch: Stretch) -> None:
        """Take the next stretch; of GUEST_FAULT only the faults that tell all that is needed."""
        found = [(kind, stretch[name]) for name, kind in _KINDS.items() if name in stretch]
        if not found:
            return
        kinds = np.repeat(
            np.array([kind for kind, _f in found], np.uint8), [len(f) for _k, f in found]
        )
        both = pl.concat(frame.select("order", "time_ns", "pid") for _kind, frame in found)
        orders = both["order"].to_numpy()
        by_order = np.argsort(orders, kind="stable")
        slots = self._slots.of(pids_of(both))
        self._make_room()
        kernel.follow(
            kinds[by_order], slots[by_order], orders[by_order], both["time_ns"].to_numpy()[by_order],
            self._state, self._counts, tuple(self._exits), tuple(self._faults),
        )  # fmt: skip
        let_go(*self._exits, *self._faults)

    @property
    def exits(self) -> ExitTracks:
        """All exits so far."""
        return self._exits.rows(slice(self._counts[0]))

    @property
    def faults(self) -> FaultTracks:
        """All faults so far."""
        return self._faults.rows(slice(self._counts[1]))

    @property
    def firsts(self) -> ThreadFirsts:
        """All threads' first events."""
        of = self._state.T
        return ThreadFirsts(
            self._slots.threads,
            of[kernel.FIRST_ENTRY],
            of[kernel.FIRST_ENTRY_NS],
            of[kernel.FIRST_EXIT],
            of[kernel.ENTRY_AFTER_EXIT],
        )

    def _make_room(self) -> None:
        new = np.full((len(self._slots) - len(self._state), kernel.STATES), kernel.NONE, np.int64)
        if len(new):
            self._state = np.concatenate((self._state, new))
