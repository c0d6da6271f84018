"""Guest time to the session's time, for each SPE recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spetrace.quality import Quality
from spetrace.session.assumptions import Assumptions
from spetrace.session.choices import Choices
from spetrace.session.clocks import COUNTER_CLOCKS, Alignment, HostClock, counter_offset_ns
from spetrace.session.guest_time import first_entry_ns
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.session_toml import VmChoices
from spetrace.session.spe_guests import GuestStream
from spetrace.tables.recording import Recording


class Aligner:
    """Finds each SPE recording's offset: as given, by the arch counter, or at the start."""

    def __init__(
        self,
        host: HostTrace,
        clocks: Mapping[int, HostClock],
        machines: Machines,
        choices: Choices,
        assumptions: Assumptions,
    ) -> None:
        self._host = host
        self._clocks = clocks
        self._machines = machines
        self._choices = choices
        self._by_vm = choices.by_vm(machines)
        self._assumptions = assumptions

    def align(
        self, recordings: Sequence[Recording], streams: Sequence[GuestStream]
    ) -> dict[int, Alignment]:
        """Per input with SPE data its alignment; what was assumed is noted."""
        found = {}
        for source in sorted({s.owner.source for s in streams}):
            own = [s for s in streams if s.owner.source == source]
            found[source] = self._one(source, recordings[source], own)
        if len(found) > 1 and not self._host.sources and self._choices.clock_offset_ns is None:
            self._assumptions.add(
                "clock-offset", 0, "Several SPE recordings without a host's are on one clock."
            )
        return found

    def _one(self, source: int, recording: Recording, streams: Sequence[GuestStream]) -> Alignment:
        chosen = self._by_vm.get(streams[0].owner.vm, VmChoices())
        for offset in (chosen.clock_offset_ns, self._choices.clock_offset_ns):
            if offset is not None:
                return Alignment(offset, "by the offset given")
        if not self._host.sources or source in self._clocks:
            return Alignment(0, "the session's clock")
        clock = self._clocks[self._host.sources[0]]
        conversion = recording.spe.time_conversion if recording.spe else None
        if clock.name in COUNTER_CLOCKS and conversion is not None:
            cntvoff = self._choices.cntvoff if chosen.cntvoff is None else chosen.cntvoff
            if cntvoff is None:
                self._assumptions.add(
                    "cntvoff", 0, "The guest's virtual counter is the host's physical one."
                )
            offset = counter_offset_ns(clock, conversion, cntvoff or 0)
            return Alignment(offset, "by the arch counter (TIME_CONV)")
        return self._at_the_start(streams)

    def _at_the_start(self, streams: Sequence[GuestStream]) -> Alignment:
        """The first SPE record is laid on the VM's first kvm_entry."""
        vm = streams[0].owner.vm
        start = first_entry_ns(self._host, self._machines, vm)
        times = [s.first_record_ns for s in streams]
        first = min((t for t in times if t is not None), default=streams[0].first_ns)
        offset = start - first
        text = f"VM {vm}'s first SPE record is laid on its first kvm_entry: aligned at the start."
        self._assumptions.add("clock-offset", offset, text)
        return Alignment(offset, "aligned at the start")


def warn_of_disjoint_spans(
    host: HostTrace, streams: Sequence[GuestStream], quality: Quality
) -> None:
    """Count the SPE recordings whose time on the session's clock does not meet the host's."""
    spans = host.spans.values()
    if not spans:
        return
    first, last = min(s[0] for s in spans), max(s[1] for s in spans)
    for source in sorted({s.owner.source for s in streams}):
        own = [s for s in streams if s.owner.source == source]
        low, high = min(s.first_ns for s in own), max(s.last_ns for s in own)
        if low > last or high < first:
            detail = f"guest {low} to {high} ns, host {first} to {last} ns"
            quality.add("clock_spans_disjoint", 1, detail)
