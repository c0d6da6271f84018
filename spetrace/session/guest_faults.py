"""The vCPUs' kvm_guest_fault events, each with what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_columns import ColumnsBuilder, EventColumns
from spetrace.session.event_run import Addresses, Integers
from spetrace.session.host_names import COLUMNS, GUEST_FAULT
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.track_kernel import NONE
from spetrace.session.vm_rows import VmRows
from spetrace.spooled import AnyArray, chunks, let_go, room

_ROW: Final = np.int64(NONE)
_NO: Final = np.bool_(False)
_ROOM: Final = (np.int32(0), np.int32(0), _ROW, _ROW, _ROW, _NO, _NO, _NO, _NO, _ROW)
"""As the columns of GuestFaults after `events`."""


@dataclass(frozen=True)
class GuestFaults:
    """Stage-2 faults taken by vCPUs, in order, as columns of one length."""

    events: EventColumns
    vm: npt.NDArray[np.int32]
    vcpu: npt.NDArray[np.int32]
    entry_order: Integers
    """Place of the thread's next kvm_entry, or NONE."""
    entry_ns: Integers
    """Its time, where there is one."""
    handled_ns: Integers
    """From the kvm_exit before the fault to that entry, where `is_handled`: where they are a pair."""
    is_handled: npt.NDArray[np.bool_]
    is_mmio: npt.NDArray[np.bool_]
    """A kvm_mmio, kvm_mmio_emulate or kvm_mmio_nisv comes before that entry."""
    is_retried: npt.NDArray[np.bool_]
    """The vCPU's next fault is of the same page: KVM is taken to have mapped nothing."""
    is_denied_next: npt.NDArray[np.bool_]
    """That next fault is one of permission, which shows that KVM has mapped the page."""
    track: Integers
    """Place among all threads' faults, as in vcpu_tracks."""

    def __len__(self) -> int:
        return len(self.vm)

    @property
    def esr(self) -> Addresses:
        """Its syndrome."""
        return self.events.unsigned("hsr")

    @property
    def ipa(self) -> Addresses:
        """The IPA that it is on."""
        return self.events.unsigned("ipa")

    @cached_property
    def by_vm(self) -> VmRows:
        """The faults of each VM."""
        return VmRows(self.vm)

    def part(self, select: Any) -> GuestFaults:
        """The faults that a slice, a mask or an index array selects."""
        columns = (getattr(self, f.name)[select] for f in fields(self)[1:])
        return GuestFaults(self.events.part(select), *columns)

    def parts(self) -> Iterator[GuestFaults]:
        """All of them, a bounded number at a time."""
        for select in chunks(len(self)):
            yield self.part(select)
            self.let_go()

    def let_go(self) -> None:
        """Give memory back that holds faults which are in files."""
        let_go(self.events.order, self.vm)

    @property
    def has_mapped(self) -> npt.NDArray[np.bool_]:
        """Whether KVM has served the fault by a mapping (of those that can be served so)."""
        entered = self.entry_order != NONE
        mapped: npt.NDArray[np.bool_] = ~self.is_mmio & ~self.is_retried & entered
        return mapped

    @property
    def has_mapped_as_shown(self) -> npt.NDArray[np.bool_]:
        """`has_mapped`, and those faults whose mapping the vCPU's next fault shows."""
        shown = self.is_denied_next & ~self.is_mmio & (self.entry_order != NONE)
        mapped: npt.NDArray[np.bool_] = self.has_mapped | shown
        return mapped


def guest_faults(host: HostTrace, machines: Machines, page_size: int) -> GuestFaults:
    """All kvm_guest_fault events on vCPU threads that tell a syndrome and an IPA."""
    events, tracks = host.columns(GUEST_FAULT), host.tracks.faults
    builder = ColumnsBuilder(len(events), COLUMNS[GUEST_FAULT])
    columns = room(len(events), *_ROOM)
    count = 0
    for select in chunks(len(events)):
        part, track = events.part(select), tracks.rows(select)
        vm = machines.vm_of(part.pid)
        retried, denied = _next_of_same_page(events, part, track.following, page_size)
        values: tuple[AnyArray, ...] = (
            vm, machines.vcpu_of(part.pid), track.entry_order, track.entry_ns, track.handled_ns,
            track.is_handled, track.is_mmio, retried, denied, np.arange(select.start, select.stop),
        )  # fmt: skip
        own = np.flatnonzero(vm >= 0)
        builder.append(part.part(own))
        for column, value in zip(columns, values, strict=True):
            column[count : count + len(own)] = value[own]
        count += len(own)
        let_go(events.order, *tracks, *columns)
    return GuestFaults(builder.finish(), *(column[:count] for column in columns))


def _next_of_same_page(
    events: EventColumns, part: EventColumns, following: Integers, page_size: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether the next fault of each one's thread is of the same page, and one of permission on it.

    `following` is that fault's row in `events`.
    """
    size = np.uint64(page_size)
    next_ipa, next_esr = events.unsigned("ipa")[following], events.unsigned("hsr")[following]
    is_retried = (following != NONE) & (next_ipa // size == part.unsigned("ipa") // size)
    return is_retried, is_retried & esr.is_permission_fault(next_esr)
