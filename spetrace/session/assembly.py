"""One session in the making: each step is done once, when the first that needs it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import pyarrow as pa

from spetrace.errors import UsageError
from spetrace.quality import Quality
from spetrace.session.alignment import Aligner, warn_of_disjoint_spans
from spetrace.session.assumed_spe import AssumedGuest, assumed_guests
from spetrace.session.assumptions import Assumptions
from spetrace.session.buffers import Buffer, PlacedBuffer, map_buffers
from spetrace.session.choices import Choices, resolve
from spetrace.session.clocks import Alignment, HostClock, host_clock
from spetrace.session.event_logs import first_event_ns, has_event_log
from spetrace.session.event_run import EventRun
from spetrace.session.guest_clock import GuestClock
from spetrace.session.guest_faults import GuestFaults, guest_faults
from spetrace.session.guest_memory import (
    assumed_buffers,
    placed_buffers,
    vm_parameters,
    vm_ram,
)
from spetrace.session.host_events import in_recorded_order
from spetrace.session.host_names import ENTRY
from spetrace.session.host_stage2 import HostStage2, Stage2Builder
from spetrace.session.host_trace import HostTrace, host_trace, is_host_trace
from spetrace.session.machines import Machines, find_machines
from spetrace.session.mapped_events import (
    NO_MAPPED_EVENTS,
    EventMapper,
    MappedEvents,
    without_registers,
)
from spetrace.session.mapped_probes import by_event_map
from spetrace.session.merge import TimedRun, in_pieces, merged_batches
from spetrace.session.options import SessionOptions
from spetrace.session.ram import Ram
from spetrace.session.session_toml import VmChoices
from spetrace.session.spe_guests import (
    GuestStream,
    aligned,
    batch_rows,
    guest_streams,
    stream_buffers,
)
from spetrace.session.spe_survey import SpeSurvey, survey_spe
from spetrace.session.stream_owners import StreamOwner, stream_owners
from spetrace.tables.recording import Recording

_EXCEPTION_LEVELS: Final = (
    "EL2 in SPE records counts as EL1 (a VHE host's kernel); a record without a PC keeps the level "
    "that stands."
)


class _Guest(NamedTuple):
    """One source of guests' events, in runs, and the time of its earliest; None without any."""

    runs: Iterable[TimedRun]
    first_ns: int | None


def _of_run(run: EventRun) -> _Guest:
    return _Guest(in_pieces(run), int(run.ts.min()) if len(run) else None)


def _of_stream(stream: GuestStream, rows: int, mapped: Sequence[tuple[int, int]]) -> _Guest:
    """A stream's events; without register writes where its vCPU is among `mapped`."""
    if (stream.owner.vm, stream.owner.vcpu) not in mapped:
        return _Guest(stream.runs(rows), stream.first_ns)
    runs = (
        TimedRun(without_registers(run, mapped), later_ns) for run, later_ns in stream.runs(rows)
    )
    return _Guest(runs, stream.first_but_registers_ns)


def _of_load(load: AssumedGuest, mapped: Sequence[tuple[int, int]]) -> _Guest:
    """The events of an assumed load; without register writes where its vCPU is among `mapped`."""
    runs = (TimedRun(without_registers(run, mapped), later_ns) for run, later_ns in load.runs())
    return _Guest(runs, load.first_ns)


class Assembly:
    """The recordings, the choices, and what follows from both.

    `is_held` says that the whole event log is to be in memory, which an assumed load must be for.
    """

    def __init__(
        self, recordings: Sequence[Recording], options: SessionOptions, *, is_held: bool = False
    ) -> None:
        self._is_held = is_held
        self.choices: Choices = resolve(options)
        self.recordings = by_event_map(
            recordings, self.choices.event_map, self.choices.page_size, options.event_map
        )
        self.assumptions = Assumptions()
        self.quality = Quality()
        if self.choices.assume_spe and (self._has_spe or self.mapped.has_records):
            raise UsageError("--assume-spe: the inputs hold SPE data of their own")

    @property
    def is_replayable(self) -> bool:
        """Whether there is SPE data, an assumed load with vCPUs to run on, or an event log."""
        assumed = self.choices.assume_spe is not None and self.host.has(ENTRY)
        held = self._has_spe or self.mapped.has_records
        return held or assumed or has_event_log(self.recordings)

    @cached_property
    def clocks(self) -> dict[int, HostClock]:
        """Per host file its clock."""
        spe = (r.spe.time_conversion for r in self.recordings if r.spe)
        conversion = next((c for c in spe if c is not None), None)
        clocks = {
            source: host_clock(recording, self.choices.counter_hz, conversion)
            for source, recording in enumerate(self.recordings)
            if is_host_trace(recording, self._mapped_names)
        }
        for clock in clocks.values():
            if clock.is_assumed:
                self.assumptions.add("counter_hz", clock.denominator, clock.how)
        if len(clocks) > 1:
            text = "Several files with a host's events are recordings of one host, on one clock."
            self.assumptions.add("clock-offset", 0, text)
        return clocks

    @cached_property
    def host(self) -> HostTrace:
        """The host's events."""
        return host_trace(self.recordings, self.clocks, self._mapped_names)

    @cached_property
    def machines(self) -> Machines:
        """All VMs: those of the host's trace and those that only guests' events tell of."""
        machines = self._owned_machines
        for vm, vcpu in self.mapped.vcpus():
            machines.ensure(vm, vcpu)
        return machines

    @cached_property
    def mapped(self) -> MappedEvents:
        """The events that an event map makes of the recordings."""
        if not self.choices.event_map:
            return NO_MAPPED_EVENTS
        clock = GuestClock(
            self.recordings,
            self.host,
            self.clocks,
            self._owned_machines,
            self.choices,
            self.alignments,
            self.assumptions,
        )
        mapper = EventMapper(self._owned_machines, self.choices.page_size, self.quality)
        return mapper.mapped(self.choices.event_map, self.host, self.recordings, clock.times)

    @cached_property
    def by_vm(self) -> dict[int, VmChoices]:
        """Per VM what session.toml says of it."""
        return self.choices.by_vm(self.machines)

    @cached_property
    def stage2(self) -> HostStage2:
        """What the host's trace tells of stage 2."""
        builder = Stage2Builder(
            self.host, self.machines, self.choices, self.assumptions, self.quality, self.faults
        )
        return builder.build().joined_with(self.mapped.stage2)

    @cached_property
    def faults(self) -> GuestFaults:
        """The stage-2 faults of the vCPUs in the host's trace."""
        return guest_faults(self.host, self.machines, self.choices.page_size)

    @cached_property
    def rams(self) -> dict[int, Ram]:
        """Per VM its RAM."""
        return {
            vm.vm: vm_ram(
                vm.vm,
                self.stage2,
                self.choices,
                self.by_vm.get(vm.vm, VmChoices()),
                self.assumptions,
            )
            for vm in self.machines.vms
        }

    @cached_property
    def alignments(self) -> dict[int, Alignment]:
        """Per SPE recording how its time becomes the session's."""
        aligner = Aligner(
            self.host, self.clocks, self._owned_machines, self.choices, self.assumptions
        )
        return aligner.align(self.recordings, self._recorded_streams)

    @cached_property
    def surveys(self) -> dict[int, SpeSurvey]:
        """Per SPE recording what a pass over its records found; none where no AUX record is in any."""
        if not self._has_spe:
            return {}
        return {
            source: survey_spe(recording, recording.spe)
            for source, recording in enumerate(self.recordings)
            if recording.spe
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """The replay parameters that the session knows."""
        return vm_parameters(self.rams, self.stage2, self.choices, self.by_vm)

    def event_batches(self) -> Iterator[pa.RecordBatch]:
        """The event log of all captures, in batches; none of event logs among the inputs.

        SPE records are decoded while the batches are taken, so that memory holds no more than some
        of their events.
        """
        guests, _ = self._guests
        host = in_recorded_order([self.stage2.recorded, self.mapped.others]).run
        before = self.buffer_maps(self.choices, self.assumptions)
        sources = [in_pieces(before), in_pieces(host), *(guest.runs for guest in guests)]
        return merged_batches(sources)

    def buffer_maps(self, choices: Choices, assumptions: Assumptions) -> EventRun:
        """The mappings of the buffers that stand when the log begins, placed as `choices` say."""
        guests, buffers = self._guests
        firsts = [guest.first_ns for guest in guests]
        firsts += [self.host.first_ns, first_event_ns(self.recordings)]
        first = min((t for t in firsts if t is not None), default=0)
        placed = placed_buffers(buffers, self.rams, choices, assumptions)
        return map_buffers(placed, first, self._is_touched(placed))

    @property
    def _has_spe(self) -> bool:
        return any(r.spe is not None and len(r.spe.aux_records) for r in self.recordings)

    @property
    def _mapped_names(self) -> set[str]:
        """The events that the map says a host recorded."""
        return {e.event for e in self.choices.event_map if not e.in_guest and not e.is_probe}

    @cached_property
    def _owned_machines(self) -> Machines:
        """The VMs of the host's trace and of SPE data."""
        machines = self._traced_machines
        for owner in self._owners:
            machines.ensure(owner.vm, owner.vcpu)
        return machines

    def _mapped_registers(self, *, has_guests: bool) -> list[tuple[int, int]]:
        """The vCPUs whose register writes an event map gives: SPE data gives none for them."""
        vcpus = self.mapped.vcpus(with_registers=True)
        if vcpus and has_guests:
            text = "vCPUs whose register writes --event-map gives are not programmed by SPE data."
            self.assumptions.add("event-map", "sysreg_write", text)
        return vcpus

    @cached_property
    def _traced_machines(self) -> Machines:
        machines = find_machines(self.host, self.choices.processes)
        if machines.grouped_by:
            text = "No file names the vCPU threads' processes: VMs are told apart by this."
            self.assumptions.add("vm.vcpus", machines.grouped_by, text)
        return machines

    @cached_property
    def _owners(self) -> list[StreamOwner]:
        by_vm = self.choices.by_vm(self._traced_machines)
        return stream_owners(self.recordings, by_vm, self.assumptions)

    @cached_property
    def _recorded_streams(self) -> list[GuestStream]:
        if not self._has_spe:
            return []
        self.assumptions.add("exception-level", "EL2 is EL1", _EXCEPTION_LEVELS)
        return guest_streams(
            self.recordings,
            self.surveys,
            self._owners,
            self.choices.aux_bytes,
            self.choices.page_size,
            self.assumptions,
            self.quality,
        )

    @cached_property
    def _guests(self) -> tuple[list[_Guest], Mapping[int, Sequence[Buffer]]]:
        """The guests' events by VM and vCPU, those of an event map last; and the buffers by VM."""
        guests, buffers = self._loaded_guests()
        return [*guests, _of_run(self.mapped.guest)], buffers

    def _loaded_guests(self) -> tuple[list[_Guest], Mapping[int, Sequence[Buffer]]]:
        load = self.choices.assume_spe
        if load:
            text = "No SPE data was recorded: each vCPU is given this load, by its guest time."
            value = f"period_ns={load.period_ns},record_bytes={load.record_bytes}"
            self.assumptions.add("assume-spe", f"{value},buffer_bytes={load.buffer_bytes}", text)
            loads = assumed_guests(self.host, self.machines, load, is_held=self._is_held)
            mapped = self._mapped_registers(has_guests=bool(loads))
            vcpus = [(own.vm, own.vcpu) for own in loads]
            guests = [_of_load(own, mapped) for own in loads]
            return guests, assumed_buffers(vcpus, load, self.by_vm)
        streams = aligned(self._recorded_streams, self.alignments)
        warn_of_disjoint_spans(self.host, streams, self.quality)
        mapped = self._mapped_registers(has_guests=bool(streams))
        rows = batch_rows(len(streams))
        guests = [_of_stream(stream, rows, mapped) for stream in streams]
        return guests, stream_buffers(streams, self.by_vm)

    def _is_touched(self, placed: Sequence[PlacedBuffer]) -> bool:
        touched = self.choices.buffer_touched
        if touched is None and placed:
            text = "Linux zeroes AUX pages: stage 2 maps the buffers when the session starts."
            self.assumptions.add("buffer-touched", "yes", text)
        return touched is not False
