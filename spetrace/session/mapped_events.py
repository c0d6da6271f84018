"""Events of the log from events of one's own, by an event map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.quality import Quality
from spetrace.session.event_map import STRUCTURE, MappedEvent
from spetrace.session.event_run import (
    REGISTER_SHIFT,
    SPE_RECORD,
    UNKNOWN_CAUSE,
    Addresses,
    EventRun,
    Integers,
    concatenated,
    event_run,
)
from spetrace.session.host_events import HostRun, joined
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import MACHINES_MAX, Machines
from spetrace.session.mapped_columns import Mask, column_values, is_wanted
from spetrace.session.page_range import end_page, first_page
from spetrace.tables.events import KINDS
from spetrace.tables.recording import Recording

SYSREG_WRITE: Final = KINDS.index("sysreg_write")
_STAGE2: Final = [n for n, kind in enumerate(KINDS) if kind.startswith("stage2_")]
_KIND_BITS: Final = (1 << REGISTER_SHIFT) - 1
_VCPUS_MAX: Final = 4096
_ONE_VCPU: Final = ("sysreg_write", "eret", "exception", "spe_record", "buffer_full")
"""Kinds of events that are one vCPU's."""
_PAYLOAD: Final = {
    "sysreg_write": "value", "eret": "to_el", "spe_record": "bytes", "stage2_map": "writable",
    "stage2_unmap": "cause",
}  # fmt: skip
_LIMITS: Final = {"to_el": (0, 1), "bytes": (1, (1 << 32) - 1), "writable": (0, 1)}
_DEFAULTS: Final = {"writable": 1, "cause": UNKNOWN_CAUSE}


@dataclass(frozen=True)
class MappedEvents:
    """What an event map makes of the recordings."""

    host: HostRun
    """Events that the host recorded, with their places in its trace."""
    guest: EventRun
    """Events that guests recorded, on the session's clock."""

    @property
    def stage2(self) -> HostRun:
        """The host's stage-2 events."""
        return self._of_host(np.isin(self.host.run.code, _STAGE2))

    @property
    def others(self) -> HostRun:
        """The host's other events."""
        return self._of_host(~np.isin(self.host.run.code, _STAGE2))

    @property
    def has_records(self) -> bool:
        """Whether there are SPE records among them."""
        return any(bool((run.code == SPE_RECORD).any()) for run in (self.host.run, self.guest))

    def vcpus(self, *, with_registers: bool = False) -> list[tuple[int, int]]:
        """(VM, vCPU) of all events, or of the register writes; raises InputError for too many."""
        found: set[tuple[int, int]] = set()
        for run in (self.host.run, self.guest):
            kept = (run.code & _KIND_BITS == SYSREG_WRITE) | (not with_registers)
            both = np.unique(np.stack((run.vm[kept], run.vcpu[kept]), axis=1), axis=0)
            if len(both) > _VCPUS_MAX:
                raise InputError(STRUCTURE, f"the events are of more than {_VCPUS_MAX} vCPUs")
            found.update((int(vm), int(vcpu)) for vm, vcpu in both)
        return sorted(found)

    def _of_host(self, mask: Mask) -> HostRun:
        return HostRun(self.host.order[mask], self.host.run.part(mask))


NO_MAPPED_EVENTS: Final = MappedEvents(joined([]), concatenated([]))


class EventMapper:
    """Makes the events of a map; what gives no event is counted."""

    def __init__(self, machines: Machines, page_size: int, quality: Quality) -> None:
        self._machines = machines
        self._page_size = page_size
        self._quality = quality

    def mapped(
        self,
        events: Sequence[MappedEvent],
        host: HostTrace,
        recordings: Sequence[Recording],
        guest_times: Callable[[int, MappedEvent, Integers], Integers],
    ) -> MappedEvents:
        """All events; `guest_times` puts those of a guest's input on the session's clock."""
        of_host, of_guest = [], []
        for event in events:
            if event.is_probe:
                continue
            if not event.in_guest:
                of_host.append(self._host_run(event, host))
                continue
            for source, recording in enumerate(recordings):
                frame = recording.tracepoints.get(event.event)
                if frame is not None:
                    of_guest.append(self._guest_run(event, frame, source, guest_times))
        return MappedEvents(joined(of_host), concatenated(of_guest))

    def _host_run(self, event: MappedEvent, host: HostTrace) -> HostRun:
        frame = host[event.event].frame
        kept = frame.filter(pl.Series(is_wanted(frame, event), dtype=pl.Boolean))
        known, run = self._run(event, kept, kept["time_ns"].to_numpy())
        return HostRun(kept["order"].to_numpy()[known], run)

    def _guest_run(
        self,
        event: MappedEvent,
        frame: pl.DataFrame,
        source: int,
        guest_times: Callable[[int, MappedEvent, Integers], Integers],
    ) -> EventRun:
        frame = frame.with_columns(pl.int_range(pl.len()).alias("row"))
        kept = frame.filter(pl.Series(is_wanted(frame, event), dtype=pl.Boolean))
        times = guest_times(source, event, kept["time_ns"].fill_null(0).to_numpy())
        _known, run = self._run(event, kept, times)
        return run

    def _run(
        self, event: MappedEvent, frame: pl.DataFrame, times: Integers
    ) -> tuple[Mask, EventRun]:
        """The events that have all they need, and which they are."""
        columns: dict[str, Addresses] = {}
        known = np.ones(len(frame), bool)
        for key in event.columns:
            columns[key], has = column_values(frame, event, key, self._page_size)
            low, high = _LIMITS.get(key, (0, (1 << 64) - 1))
            known &= has & (columns[key] >= np.uint64(low)) & (columns[key] <= np.uint64(high))
        known &= self._place(event, frame, columns) & self._span(event, columns)
        lost = int((~known).sum())
        self._quality.add("mapped_events_left_out", lost, f"{lost:,} of {event.event}")
        payload = columns.get(_PAYLOAD.get(event.kind, ""))
        code = np.full(len(frame), KINDS.index(event.kind), np.uint8)
        if "reg" in columns:
            code |= columns["reg"].astype(np.uint8) << REGISTER_SHIFT
        value = _DEFAULTS.get(_PAYLOAD.get(event.kind, ""), 0) if payload is None else payload
        run = event_run(
            times,
            code,
            value=value,
            row=frame["row"].to_numpy().astype(np.uint64),
            **{key: columns[key] for key in ("vm", "vcpu", "va", "ipa", "pages") if key in columns},
        )
        return known, run.part(known)

    def _place(
        self, event: MappedEvent, frame: pl.DataFrame, columns: dict[str, Addresses]
    ) -> Mask:
        """Fill in VM and vCPU where the map has none; which events have them."""
        found = {"vm": self._vm(event, frame), "vcpu": self._vcpu(event, frame)}
        known = np.ones(len(frame), bool)
        for key, numbers in found.items():
            if key in columns:
                known &= columns[key] < np.uint64(MACHINES_MAX)
            else:
                known &= numbers >= 0
                columns[key] = numbers.clip(0).astype(np.uint64)
            columns[key] = np.where(known, columns[key], np.uint64(0))
        return known

    def _vm(self, event: MappedEvent, frame: pl.DataFrame) -> npt.NDArray[np.int64]:
        """The VM of the thread or of its process; the only one, or 0 where none is recorded."""
        vms = self._machines.vms
        if event.in_guest or len(vms) < 2:
            return np.full(len(frame), vms[0].vm if len(vms) == 1 else 0)
        vm = self._machines.vm_of(frame["pid"].fill_null(-1).to_numpy()).astype(np.int64)
        tgid = frame["tgid"].fill_null(-1).to_numpy()
        for machine in vms:
            if machine.pid is not None:
                vm[(vm < 0) & (tgid == machine.pid)] = machine.vm
        return vm

    def _vcpu(self, event: MappedEvent, frame: pl.DataFrame) -> npt.NDArray[np.int64]:
        """The guest's CPU, or the thread's vCPU; 0 for what is no single vCPU's."""
        if event.in_guest:
            return frame["cpu"].fill_null(-1).to_numpy().astype(np.int64)
        vcpu = self._machines.vcpu_of(frame["pid"].fill_null(-1).to_numpy()).astype(np.int64)
        if event.kind not in _ONE_VCPU or not self._machines.have_threads:
            return vcpu.clip(0)
        return vcpu

    def _span(self, event: MappedEvent, columns: dict[str, Addresses]) -> Mask:
        """Make `pages` whole pages; which ranges hold any and end within the address space."""
        if "pages" not in columns:
            return np.ones(len(next(iter(columns.values()))), bool)
        pages = columns["pages"]
        inside = np.ones(len(pages), bool)
        for key in ("va", "ipa"):
            if key not in columns:
                continue
            first = first_page(columns[key], self._page_size)
            if event.columns["pages"].unit == "bytes":
                end = end_page(columns[key], columns["pages"], self._page_size)
                pages = np.where(columns["pages"] > 0, end - first, np.uint64(0))
            inside &= pages <= np.uint64((1 << 64) // self._page_size) - first
        columns["pages"] = pages
        return inside & (pages > 0)


def without_registers(run: EventRun, vcpus: Sequence[tuple[int, int]]) -> EventRun:
    """One vCPU's run; without its register writes where the vCPU is among `vcpus`."""
    if not len(run) or (int(run.vm[0]), int(run.vcpu[0])) not in vcpus:
        return run
    return run.part(np.flatnonzero(run.code & _KIND_BITS != SYSREG_WRITE))
