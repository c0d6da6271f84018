"""Times of a guest's own tracepoints on the session's clock (its SPE data is `alignment`'s)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spetrace.session.assumptions import Assumptions
from spetrace.session.choices import Choices
from spetrace.session.clocks import COUNTER_CLOCKS, Alignment, HostClock, TickRate
from spetrace.session.event_map import MappedEvent
from spetrace.session.event_run import Integers
from spetrace.session.guest_time import first_entry_ns
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.session_toml import VmChoices
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of


class GuestClock:
    """Puts the events of an input that a guest recorded on the session's clock.

    By an offset given; as the SPE data of the same input, or of another, was aligned; by the arch
    counter; else the input's first event is laid on the VM's first kvm_entry.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        host: HostTrace,
        clocks: Mapping[int, HostClock],
        machines: Machines,
        choices: Choices,
        alignments: Mapping[int, Alignment],
        assumptions: Assumptions,
    ) -> None:
        self._recordings = recordings
        self._host = host
        self._clocks = clocks
        self._machines = machines
        self._choices = choices
        self._by_vm = choices.by_vm(machines)
        self._alignments = alignments
        self._assumptions = assumptions
        conversion = next((r.spe.time_conversion for r in recordings if r.spe), None)
        self._rate = TickRate(choices.counter_hz, conversion)

    def times(self, source: int, event: MappedEvent, times: Integers) -> Integers:
        """Times of an input's own clock as the session's ns."""
        vm = event.columns["vm"].constant if "vm" in event.columns else 0
        moved: Integers = self._rate.guest_ns(self._recordings[source], times) + self._offset(
            source, vm or 0
        )
        return moved

    def _offset(self, source: int, vm: int) -> int:
        chosen = self._by_vm.get(vm, VmChoices())
        for offset in (chosen.clock_offset_ns, self._choices.clock_offset_ns):
            if offset is not None:
                return offset
        if not self._host.sources or source in self._clocks:
            return 0
        for aligned in (self._alignments.get(source), *self._alignments.values()):
            if aligned is not None:
                return aligned.offset_ns
        recording = self._recordings[source]
        clock = self._clocks[self._host.sources[0]]
        if {clock.name, recording.clock} <= set(COUNTER_CLOCKS):
            cntvoff = self._choices.cntvoff if chosen.cntvoff is None else chosen.cntvoff
            return self._rate.counter_offset_ns(clock, cntvoff or 0)
        return self._at_the_start(recording, vm)

    def _at_the_start(self, recording: Recording, vm: int) -> int:
        start = first_entry_ns(self._host, self._machines, vm)
        span = frames_of(recording.tracepoints).span or (0, 0)
        first = self._rate.guest_ns(recording, np.array(span[:1], np.int64))
        offset = start - int(first[0])
        text = f"{recording.name}'s first event is laid on VM {vm}'s first kvm_entry."
        self._assumptions.add("clock-offset", offset, text)
        return offset
