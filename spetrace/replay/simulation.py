"""One strategy's way through a timeline: a discrete-event simulation.

The log comes window by window; all that stands at the end of one goes on in the next. What can
matter is an item of the timeline, a decision of a vCPU (a place in the log, kept in a queue) or a time
that a strategy asked for. Decisions are found ahead of time. Mapping or pinning a page can only make a
found decision needless, which shows when its turn comes; what takes a mapping away is always an item,
and makes the VM's vCPUs search anew.
"""

from __future__ import annotations

from heapq import heappop, heappush

from spetrace.replay.counters import Details
from spetrace.replay.cursor import Cursor
from spetrace.replay.items import Item
from spetrace.replay.outcomes import KeptOutcomes, OutcomeCodes, Outcomes
from spetrace.replay.page_map import PageRange
from spetrace.replay.parameters import Parameters
from spetrace.replay.record_write import write_record
from spetrace.replay.register_write import write_register
from spetrace.replay.stage1 import Stage1
from spetrace.replay.strategy import Strategy
from spetrace.replay.streams import NO_STREAM
from spetrace.replay.timeline import Timeline
from spetrace.replay.vcpu import FULL, Vcpu
from spetrace.replay.vm import Vm
from spetrace.replay.window import Window

_OWN = frozenset(("sysreg_write", "buffer_full"))
STAGE2 = frozenset(("stage2_map", "stage2_wrprotect", "stage2_unmap"))
_END = 1 << 62


class Simulation:
    """All VMs and vCPUs of a session under one strategy."""

    def __init__(
        self,
        timeline: Timeline,
        parameters: Parameters,
        strategy: Strategy,
        stage1: dict[int, Stage1],
        codes: OutcomeCodes | None = None,
    ) -> None:
        self.strategy = strategy
        self.details = Details()
        self._refused_causes = strategy.refused_causes()
        self.pinned_bytes_peak = 0
        self._pinned_bytes = 0
        self._timeline = timeline
        self._place = -1
        """In the window, of the last event that came by itself."""
        self._events = 0
        """In the window."""
        self._decisions: list[tuple[int, int, int]] = []
        self._wakes: list[tuple[int, int, int]] = []
        self._serial = 0
        self.vms = {
            vm: Vm(vm, parameters.of_vm(vm), stage1[vm], self.details, ts)
            for vm, (_, ts) in timeline.starts.items()
        }
        self.cursors: list[Cursor] = []
        self._by_vm: dict[int, list[int]] = {vm: [] for vm in self.vms}
        self._by_name: dict[tuple[int, int], int] = {}
        self._current: list[int] = []
        """Per vCPU the serial of its decision that counts; others in the queue are stale."""
        self._active: list[int] = []
        """The vCPUs that have a stream in the window."""
        self.codes = codes
        """What became of each record, where that is kept."""
        for vm, vcpu in timeline.vcpus:
            self._add_vcpu(self.vms[vm], vcpu)

    def _add_vcpu(self, vm: Vm, vcpu: int) -> None:
        members = self._by_vm[vm.number]
        outcomes = Outcomes() if self.codes is None else KeptOutcomes(self.codes)
        number = len(self.cursors)
        made = Vcpu(vm, len(members), vcpu, self.details, outcomes, self._wake_at)
        members.append(number)
        self._by_name[vm.number, vcpu] = number
        self._current.append(0)
        self.cursors.append(Cursor(made, self.strategy))

    def enter(self, window: Window) -> None:
        """A window of the log begins, the first or the one after that which was left."""
        self._place, self._events = -1, window.count
        self._active = []
        record = self.codes.begin(window.records) if self.codes else 0
        for stream in window.streams:
            number = self._by_name[stream.vm, stream.vcpu]
            cursor = self.cursors[number]
            cursor.enter(stream)
            cursor.vcpu.outcomes.enter(record, record + len(stream.eligible))
            record += stream.records
            cursor.vcpu.vm.counters.records += stream.records
            self._active.append(number)
            self._search(number)

    def leave(self) -> None:
        """Take all decisions of the window and bring all vCPUs to its end."""
        self._decide_until(_END)
        for number in self._active:
            cursor = self.cursors[number]
            cursor.advance(_END)
            cursor.enter(NO_STREAM)

    def start_vm(self, number: int, place: int, ts: int, alone: bool) -> None:
        """A VM's first event comes; `alone` if that is no item of the timeline."""
        self._decide_until(place)
        self._fire_wakes(ts)
        vm = self.vms[number]
        self.strategy.on_vm_start(vm)
        if alone:
            self._settle(vm, ts)
            self._place = place

    def reach(self, item: Item) -> None:
        """Take all decisions before `item` and bring up to date the vCPUs that it concerns."""
        self._decide_until(item.place)
        self._fire_wakes(item.ts)
        for number in self._concerned(item):
            self.cursors[number].advance(item.place)

    def apply(self, item: Item, remapped: list[PageRange]) -> None:
        """Let `item` happen; `remapped` are the VA pages whose stage-1 mapping it changed."""
        if item.kind in _OWN:
            self._apply_own(item)
        elif item.kind in STAGE2:
            self._apply_stage2(item)
        concerned = self._concerned(item)
        for number in concerned:
            cursor = self.cursors[number]
            if remapped:
                _note_remapped(cursor.vcpu, remapped)
            if item.kind != "sysreg_write":
                cursor.forget_mappings()
            self._search(number)
        self._settle(self.vms[item.vm], item.ts)
        self._place = item.place

    def finish(self) -> None:
        """Close the books at the log's last event, after its last window was left."""
        last_ts = self._timeline.span[1]
        if self._place < self._events - 1:
            self._fire_wakes(last_ts)
        for cursor in self.cursors:
            vcpu = cursor.vcpu
            vcpu.now = last_ts
            self.strategy.on_epoch_end(vcpu)
            vcpu.end_epoch()
            vcpu.count_stopped(last_ts)
        for vm in self.vms.values():
            vm.finish(last_ts)

    def _concerned(self, item: Item) -> list[int]:
        """The vCPUs whose next records an item can change for the worse."""
        if item.kind in _OWN:
            return [self._by_name[item.vm, item.vcpu]]
        if item.kind == "stage2_map" or (item.kind in STAGE2 and not item.near):
            return []
        return self._by_vm[item.vm]

    def _apply_own(self, item: Item) -> None:
        cursor = self.cursors[self._by_name[item.vm, item.vcpu]]
        cursor.own += 1
        vcpu = cursor.vcpu
        vcpu.now = item.ts
        if item.kind == "sysreg_write":
            assert item.reg is not None
            assert item.value is not None
            write_register(vcpu, self.strategy, item.reg, item.value)
        elif vcpu.enable and vcpu.service is None:
            vcpu.set_service(FULL)

    def _apply_stage2(self, item: Item) -> None:
        vm = self.vms[item.vm]
        assert item.ipa is not None
        assert item.pages is not None
        first = item.ipa // vm.page_size
        end = first + item.pages
        if item.kind == "stage2_map":
            vm.stage2.map(first, end, item.writable is not False)
        elif item.kind == "stage2_wrprotect":
            vm.counters.pins_write_protected += vm.stage2.write_protect(first, end)
        else:
            vm.unmap(first, end, (item.cause or "unknown") in self._refused_causes)

    def _search(self, number: int) -> None:
        """Find a vCPU's next decision."""
        self._serial += 1
        self._current[number] = self._serial
        place = self.cursors[number].next_decision()
        if place is not None:
            heappush(self._decisions, (place, number, self._serial))

    def _decide_until(self, place: int) -> None:
        while self._decisions and self._decisions[0][0] < place:
            at, number, serial = heappop(self._decisions)
            if serial == self._current[number]:
                self._decide(self.cursors[number], at)
                self._search(number)

    def _decide(self, cursor: Cursor, place: int) -> None:
        cursor.advance(place)
        vcpu, stream = cursor.vcpu, cursor.stream
        if cursor.record < len(stream.eligible) and stream.eligible[cursor.record] == place:
            vcpu.now = int(stream.times[cursor.record])
            self._fire_wakes(vcpu.now)
            write_record(cursor)
        else:
            vcpu.now = cursor.time_of_eret()
            self._fire_wakes(vcpu.now)
            cursor.eret += 1
            cursor.count_erets(1)
            self.strategy.on_eret(vcpu)
        self._settle(vcpu.vm, vcpu.now)
        self._place = place

    def _wake_at(self, ts: int, vcpu: Vcpu) -> None:
        heappush(self._wakes, (ts, len(self._wakes), self._by_name[vcpu.vm.number, vcpu.number]))

    def _fire_wakes(self, now: int) -> None:
        """Let the strategy act at the times that it asked for, up to `now`."""
        while self._wakes and self._wakes[0][0] <= now:
            ts, _, number = heappop(self._wakes)
            vcpu = self.cursors[number].vcpu
            before, vcpu.now = vcpu.now, ts
            self.strategy.on_time(vcpu, ts)
            self._settle(vcpu.vm, ts)
            vcpu.now = before

    def _settle(self, vm: Vm, now: int) -> None:
        self._pinned_bytes += vm.settle(now)
        self.pinned_bytes_peak = max(self.pinned_bytes_peak, self._pinned_bytes)


def _note_remapped(vcpu: Vcpu, remapped: list[PageRange]) -> None:
    first, end = vcpu.walked
    if any(start < end and first < stop for start, stop in remapped):
        vcpu.walked_changed = True
