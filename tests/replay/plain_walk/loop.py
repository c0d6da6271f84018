"""The walk over the events: section 4, and the results of section 6."""

from plain_walk.details import Abort, Blackout, Details
from plain_walk.host_events import host_event
from plain_walk.log import plain_events
from plain_walk.records import spe_record
from plain_walk.registers import sysreg_write
from plain_walk.state import Vm
from spetrace.tables.results import COUNTERS


class Walk:
    """One replay under one strategy."""

    def __init__(self, parameters, strategy):
        self.parameters = parameters
        self.strategy = strategy(self)
        self.vms = {}
        self.now = None
        self.pinned_peak = 0
        self.details = Details()
        self.record_vms = []
        self.last_blackout = {}  # vCPU -> its latest Blackout

    def run(self, events):
        events = plain_events(events)
        for event in events:
            self.release_until(event["ts"])
            self.pass_time(event["ts"])
            self.event(event)
            self.note_pinned()
            self.note_peaks()
        for vcpu in self.all_vcpus():
            self.end_epoch(vcpu)
            if vcpu.reason == "abort":
                vcpu.vm.count("stopped_ns", self.now - vcpu.abort.ts)
        self.details.results = self.results()
        return self.details

    def event(self, event):
        vm = self.vm(event["vm"])
        vcpu = vm.vcpu(event["vcpu"])
        kind = event["kind"]
        if kind == "sysreg_write":
            sysreg_write(self, vcpu, event["reg"], event["value"])
        elif kind == "eret":
            self.strategy.on_eret(vcpu, event["to_el"])
            vcpu.el = event["to_el"]
        elif kind == "exception":
            vcpu.el = 1
        elif kind == "buffer_full":
            if vcpu.e and not vcpu.s:
                vcpu.stop("full")
        elif kind == "spe_record":
            spe_record(self, vcpu, event["bytes"])
        else:
            host_event(self, vm, event)

    def vm(self, number):
        if number not in self.vms:
            self.vms[number] = Vm(number, self.parameters.of_vm(number))
            self.strategy.on_first_event(self.vms[number])
        return self.vms[number]

    def all_vcpus(self):
        return [vcpu for vm in self.vms.values() for vcpu in vm.vcpus.values()]

    # Time and pinned memory

    def pass_time(self, ts):
        for vm in self.vms.values():
            vm.count("pinned_byte_ns", vm.pinned_bytes * (ts - self.now))
        self.now = ts

    def release_until(self, ts):
        """Each timed release up to the next event, at its very moment."""
        while (due := self.strategy.next_release()) is not None and due <= ts:
            self.pass_time(due)
            self.strategy.release_due(due)
            self.note_pinned()

    def note_pinned(self):
        for vm in self.vms.values():
            steps = self.details.pinned.setdefault(vm.number, {})
            if self.now in steps or vm.pinned_bytes != next(reversed(steps.values()), 0):
                steps[self.now] = vm.pinned_bytes

    def note_peaks(self):
        for vm in self.vms.values():
            peak = max(vm.counters["pinned_bytes_peak"], vm.pinned_bytes)
            vm.counters["pinned_bytes_peak"] = peak
        total = sum(vm.pinned_bytes for vm in self.vms.values())
        self.pinned_peak = max(self.pinned_peak, total)

    # Epochs, and the two decisions of a strategy

    def end_epoch(self, vcpu):
        self.strategy.on_epoch_end(vcpu)
        for record in vcpu.written:
            self.details.outcomes[record] = "captured"
        vcpu.written = []

    def discard(self, records):
        for record in records:
            self.details.outcomes[record] = "discarded"

    def lose_to_data_loss(self, vcpu):
        """The epoch's written records are lost to data loss; returns how many are discarded."""
        if self.parameters.data_loss == "keep":
            return 0
        lost = len(vcpu.written)
        self.discard(vcpu.written)
        vcpu.written = []
        return lost

    def clear_s(self, vcpu):
        if vcpu.reason == "abort":
            vcpu.vm.count("stopped_ns", self.now - vcpu.abort.ts)
            vcpu.abort.stopped_until_ns = self.now
        vcpu.s = False
        vcpu.reason = None

    def resume(self, vcpu, cost, fault=None):
        """KVM has served the fault, or (without one) has drained the host's buffer."""
        costs = vcpu.vm.costs
        vcpu.vm.count("blackouts")
        vcpu.vm.count("blackout_ns", costs.irq_ns)
        vcpu.blackout_until = self.now + costs.irq_ns
        vcpu.charge(costs.vm_exit_ns + cost)
        where = (vcpu.vm.number, vcpu.number)
        window = (self.now, self.now + costs.irq_ns)
        if fault is None:
            row = Blackout(*where, *window, "drain", vcpu.pointer, None)
        else:
            row = Blackout(*where, *window, "fault", fault.va, fault.ipa_page)
        self.details.blackouts.append(row)
        self.last_blackout[where] = row

    def abort(self, vcpu, fault=None, already_discarded=0):
        vcpu.vm.count("aborts_injected")
        vcpu.charge(vcpu.vm.costs.vm_exit_ns)
        lost = already_discarded + self.lose_to_data_loss(vcpu)
        where = (vcpu.vm.number, vcpu.number)
        place = (fault.va, fault.ipa_page) if fault else (None, None)
        vcpu.abort = Abort(*where, self.now, *place, lost)
        self.details.aborts.append(vcpu.abort)
        vcpu.stop("abort")

    # Results

    def results(self):
        for vm, outcome in zip(self.record_vms, self.details.outcomes, strict=True):
            vm.count("records")
            vm.count(outcome)
        for vm in self.vms.values():
            vm.counters["pinned_bytes_end"] = vm.pinned_bytes
        vms = {str(number): self.vms[number].counters for number in sorted(self.vms)}
        total = {name: sum(counters[name] for counters in vms.values()) for name in COUNTERS}
        total["pinned_bytes_peak"] = self.pinned_peak
        return {"vms": vms, "total": total}
