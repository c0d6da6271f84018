"""Every VM's stage 2 over the host's recording: its events, its memslots, and how it began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from spetrace.quality import Quality
from spetrace.session.assumptions import Assumptions
from spetrace.session.choices import Choices
from spetrace.session.event_run import STAGE2_MAP, EventRun, Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun, in_recorded_order, stage2_in_order
from spetrace.session.host_names import SET_SPTE_HVA, UNMAP_HVA
from spetrace.session.host_trace import HostTrace
from spetrace.session.initial_stage2 import vms_seen_from_start
from spetrace.session.machines import Machines
from spetrace.session.memslots import Memslot, recorded_memslots
from spetrace.session.session_toml import VmChoices
from spetrace.session.stage2_probes import (
    ProbedStage2,
    page_table_vms,
    probed_stage2,
    unknown_table_events,
)
from spetrace.session.stage2_tracepoints import TracedStage2
from spetrace.session.vm_rows import VmRows, places_of


@dataclass(frozen=True)
class HostStage2:
    """What the host's trace tells of all VMs' stage 2."""

    recorded: HostRun
    """Its events, with their places in the host trace."""
    memslots: dict[int, list[Memslot]] = field(default_factory=dict)
    """Per VM the slots that it had at any time."""
    initial: dict[int, str] = field(default_factory=dict)
    """Per VM what its stage 2 holds at the start: `empty` or `all`."""
    told_by: dict[int, str] = field(default_factory=dict)
    """Per VM what its stage 2 is told from: `probes` or `tracepoints`."""

    @property
    def events(self) -> EventRun:
        """All VMs' stage-2 events, in the order of the host trace."""
        return self.recorded.run

    def joined_with(self, more: HostRun) -> HostStage2:
        """The same with other stage-2 events among its own."""
        if not len(more.run):
            return self
        return replace(self, recorded=in_recorded_order([self.recorded, more]))

    def parts_of(self, vm: int) -> Iterator[tuple[Integers, HostRun]]:
        """One VM's events and their rows in all of them, a bounded number at a time."""
        for rows in self._by_vm.of(vm):
            yield places_of(rows), self.recorded.part(rows)
            self.recorded.let_go()

    def maps_of(self, vm: int) -> Iterator[EventRun]:
        """One VM's stage2_map events, a bounded number at a time."""
        for _rows, part in self.parts_of(vm):
            yield part.run.part(part.run.code == STAGE2_MAP)

    @cached_property
    def _by_vm(self) -> VmRows:
        return VmRows(self.events.vm)


class Stage2Builder:
    """Makes the stage 2 of all VMs by what the user chose and the recording holds."""

    def __init__(
        self,
        host: HostTrace,
        machines: Machines,
        choices: Choices,
        assumptions: Assumptions,
        quality: Quality,
        faults: GuestFaults,
    ) -> None:
        self._host = host
        self._faults = faults
        self._machines = machines
        self._choices = choices
        self._by_vm = choices.by_vm(machines)
        self._assumptions = assumptions
        self._quality = quality
        self._tables = page_table_vms(host, machines)

    def build(self) -> HostStage2:
        """All of it; what was assumed and left out is noted."""
        slots = self._memslots()
        initial = self._initial()
        probed = set(self._tables.values()) if self._choices.stage2_from != "tracepoints" else set()
        recorded = stage2_in_order(self._parts(probed, slots, initial))
        told_by = {vm: "probes" if vm in probed else "tracepoints" for vm in initial}
        if self._choices.stage2_from == "probes":
            told_by = dict.fromkeys(probed & told_by.keys(), "probes")
        return HostStage2(recorded, slots, initial, told_by)

    def _parts(
        self, probed: set[int], slots: dict[int, list[Memslot]], initial: dict[int, str]
    ) -> Iterator[HostRun]:
        """All VMs' events, a bounded number at a time."""
        yield from self._probed(probed, initial).parts()
        if self._choices.stage2_from != "probes":
            yield from self._traced(probed, slots)

    def _memslots(self) -> dict[int, list[Memslot]]:
        slots, unplaced = recorded_memslots(self._host, self._machines, self._tables)
        self._quality.add("unplaced_memslots", unplaced)
        given = {vm: list(c.memslot) for vm, c in self._by_vm.items() if c.memslot}
        if self._choices.guest_ram:
            given.setdefault(0, [self._choices.guest_ram])
            self._assumptions.add(
                "vmm-maps",
                f"{self._choices.guest_ram.hva:#x}",
                "VM 0's RAM is the smallest writable mapping of its process that is as large.",
            )
        return slots | given

    def _initial(self) -> dict[int, str]:
        flag = self._choices.parameters.get("initial_stage2")
        seen = vms_seen_from_start(
            self._host, self._machines, self._faults, self._choices.page_size
        )
        initial = {}
        for vm in self._machines.vms:
            if not any(vcpu.tid is not None for vcpu in vm.vcpus):
                continue
            said = flag or self._by_vm.get(vm.vm, VmChoices()).initial_stage2
            initial[vm.vm] = said or ("empty" if vm.vm in seen else "all")
            if not said:
                self._assume_initial(vm.vm, vm.vm in seen)
        return initial

    def _assume_initial(self, vm: int, seen: bool) -> None:
        why = (
            "its first exit is the instruction fetch of a guest without stage 1: it starts here"
            if seen
            else "it ran before the recording began, and what was mapped then is unknown"
        )
        value = "empty" if seen else "all"
        self._assumptions.add("initial-stage2", value, f"VM {vm}'s stage 2 at the start: {why}.")

    def _probed(self, vms: set[int], initial: dict[int, str]) -> ProbedStage2:
        tables = {table: vm for table, vm in self._tables.items() if vm in vms}
        if self._choices.stage2_from != "tracepoints":
            self._quality.add("unknown_pgt_events", unknown_table_events(self._host, self._tables))
        full = {vm for vm, what in initial.items() if what == "all"}
        found = probed_stage2(self._host, self._machines, tables, self._choices.page_size, full)
        self._quality.add("set_spte_without_table", found.without_table)
        return found

    def _traced(self, probed: set[int], slots: dict[int, list[Memslot]]) -> Iterator[HostRun]:
        numbers = {vm.vm for vm in self._machines.vms if any(c.tid is not None for c in vm.vcpus)}
        traced = numbers - probed
        if not traced:
            return
        read_only = self._choices.infer_read_only is True
        builder = TracedStage2(
            self._host, self._faults, self._choices.page_size, infer_read_only=read_only
        )
        for vm in sorted(traced):
            chosen = self._by_vm.get(vm, VmChoices())
            if vm not in slots:
                self._quality.add("unplaced_unmaps", len(builder.notifiers))
            yield from builder.of_vm(vm, slots.get(vm, []), chosen.block_bytes)
            self._assume_traced(vm, chosen.block_bytes, several=len(numbers) > 1)

    def _assume_traced(self, vm: int, block: int | None, *, several: bool) -> None:
        add = self._assumptions.add
        add(
            "stage2-from",
            "tracepoints",
            f"VM {vm}'s stage 2 is inferred from kvm_guest_fault and MMU notifiers, which tell "
            "neither the size nor the permission of a mapping; the probes of spetrace recipe do "
            "(spetrace kvm --check-inference compares the two).",
        )
        if not block:
            add(
                "vm.block_bytes",
                "by later faults",
                f"VM {vm}: a fault above the last level maps a block unless a level-3 fault in its "
                "range shows pages.",
            )
        add("infer-read-only", *self._writable)
        if several and self._has_notifiers:
            add(
                "vm.memslot",
                "all VMs",
                "MMU notifiers name no process: host addresses that several VMs' memslots hold are "
                "unmapped in each of them.",
            )
        if self._ages:
            add(
                "stage2-from",
                "access flag by hardware",
                "kvm_age_hva and kvm_test_age_hva change nothing: the hardware is taken to manage "
                "the access flag.",
            )

    @property
    def _writable(self) -> tuple[str, str]:
        """Which inferred mappings are writable: value and sentence of the assumption."""
        if self._choices.infer_read_only:
            return "yes", (
                "A read fault maps read-only where a write fault on its permission follows, or "
                "where KVM took it again after the vCPU's own thread had unmapped the page; all "
                "other inferred mappings are writable."
            )
        return "no", "All inferred mappings are writable."

    @property
    def _has_notifiers(self) -> bool:
        return self._host.has(UNMAP_HVA) or self._host.has(SET_SPTE_HVA)

    @property
    def _ages(self) -> bool:
        return self._host.has("kvm_age_hva") or self._host.has("kvm_test_age_hva")
