"""One vCPU's way through its stream of records and ERETs, window after window of the log.

Between two decisions (a fault, the limit, an ERET that matters, a register write, a change of the
mappings) all records meet the same state, so they are accounted for as a slice: `advance`. Where
the next decision is comes from a search: `next_decision`. What the records up to a place meet never
depends on when it is asked, so a vCPU is only brought up to date when something concerns it.
"""

from __future__ import annotations

from spetrace.replay.strategy import Fault, Strategy
from spetrace.replay.streams import NO_STREAM, Stream, count_before
from spetrace.replay.vcpu import ABORT, FULL, STAGE1, Vcpu

_LOST = {ABORT: "lost_stopped", STAGE1: "lost_stopped", FULL: "lost_full"}


class Cursor:
    """Where a vCPU stands: records, other records and ERETs before it are accounted for."""

    def __init__(self, vcpu: Vcpu, strategy: Strategy) -> None:
        self.vcpu = vcpu
        self.strategy = strategy
        self.enter(NO_STREAM)
        self._good: tuple[int, int] = (0, 0)
        """VA pages known to be writable through both stages until a mapping is taken away."""

    def enter(self, stream: Stream) -> None:
        """A window of the log begins, in which the vCPU has this stream."""
        self.stream = stream
        self.record = 0
        self.other = 0
        self.eret = 0
        self.own = 0
        """Register writes and buffer full events of the vCPU in the window that are behind."""

    def advance(self, place: int) -> None:
        """Account for what comes before `place`; no decision may lie there."""
        stream = self.stream
        self._pass_erets(count_before(stream.erets, place))
        other = count_before(stream.others, place)
        record = count_before(stream.eligible, place)
        outcome = _LOST.get(self.vcpu.service or "", "not_profiled")
        if other > self.other:
            self._count(outcome, other - self.other)
            self.vcpu.outcomes.note_others(self.other, other, outcome)
            self.other = other
        if record > self.record:
            if self.vcpu.service is None:
                self._write(self._after_blackout(record), record)
            else:
                self._count(outcome, record - self.record)
                self.vcpu.outcomes.note(self.record, record, outcome)
            self.record = record

    def next_decision(self) -> int | None:
        """The place of the next record or ERET that needs a decision as things stand."""
        record = self._next_record()
        eret = self._next_eret()
        if record is None or eret is None:
            return eret if record is None else record
        return min(record, eret)

    def forget_mappings(self) -> None:
        """A mapping may have been taken away."""
        self._good = (0, 0)

    def first_bad(self, first: int, end: int) -> tuple[int, int | None, bool] | None:
        """The first VA page of [first, end) that can't be written through both stages.

        Returns (VA page, IPA page that faults at stage 2 or None for a stage-1 fault, whether that
        is a table page).
        """
        low, high = self._good
        if low <= first < high:
            first = high
        stage2 = self.vcpu.vm.stage2
        for start, stop, mapping in self.vcpu.vm.stage1.runs(first, end):
            if mapping is None:
                return start, None, False
            if not self.strategy.has_stage2:
                continue
            delta, tables = mapping
            for table in tables:
                if not stage2.mapped(table):
                    return start, table, True
            page = stage2.first_not_writable(start + delta, stop + delta)
            if page is not None:
                return page - delta, page, False
        return None

    def data_loss(self, page: int) -> bool:
        """PMBSR_EL1.DL of a write that faults on VA page `page`."""
        vcpu = self.vcpu
        model = vcpu.vm.parameters.dl_model
        if model == "never":
            return False
        straddles = page != vcpu.pointer // vcpu.vm.page_size
        return straddles or (model == "always" and vcpu.written > 0)

    def fault(self, page: int, ipa_page: int, on_walk: bool) -> Fault:
        """The stage-2 fault of a write on VA page `page`, counted."""
        counters = self.vcpu.vm.counters
        counters.stage2_faults += 1
        counters.stage2_faults_on_walk += on_walk
        va = max(self.vcpu.pointer, page * self.vcpu.vm.page_size)
        return Fault(va, ipa_page, on_walk, self.data_loss(page))

    def lose(self, outcome: str) -> None:
        """The record at the cursor is lost in this way."""
        self._count(outcome, 1)
        self.vcpu.outcomes.note(self.record, self.record + 1, outcome)
        self.record += 1

    def write_one(self) -> None:
        """The record at the cursor is written."""
        self._write(self.record, self.record + 1)
        self.record += 1

    def size(self) -> int:
        """Bytes of the record at the cursor."""
        return int(self.stream.sums[self.record + 1] - self.stream.sums[self.record])

    def _pass_erets(self, eret: int) -> None:
        count, self.eret = eret - self.eret, eret
        if count and self.vcpu.service is None and self.strategy.traps_eret(self.vcpu):
            self.count_erets(count)
            self.vcpu.vm.counters.eret_traps_useless += count

    def time_of_eret(self) -> int:
        """The time of the ERET at the cursor, which goes to EL0, ns."""
        place = int(self.stream.erets[self.eret])
        return int(self.stream.eret_times[count_before(self.stream.erets_to_el0, place)])

    def count_erets(self, count: int) -> None:
        """Count `count` trapped ERETs."""
        self.vcpu.vm.counters.eret_traps += count
        self.vcpu.charge(count * self.strategy.costs.eret_trap_ns)

    def _after_blackout(self, record: int) -> int:
        """Account for the records before `record` within the blackout; the first one after it."""
        times, start = self.stream.times, self.record
        until = self.vcpu.blackout_until
        if times[start] >= until:
            return start
        after = start + int(times[start:record].searchsorted(until))
        self.vcpu.lose_in_blackout(after - start)
        self.vcpu.outcomes.note(start, after, "lost_blackout")
        return after

    def _write(self, first: int, end: int) -> None:
        vcpu, sums = self.vcpu, self.stream.sums
        size = int(sums[end] - sums[first])
        vcpu.pointer += size
        vcpu.written += end - first
        vcpu.outcomes.write(first, end)
        if self.strategy.takes_records:
            self.strategy.on_written(vcpu, size, end - first)

    def _count(self, outcome: str, count: int) -> None:
        counters = self.vcpu.vm.counters
        setattr(counters, outcome, getattr(counters, outcome) + count)

    def _next_eret(self) -> int | None:
        vcpu = self.vcpu
        if not (vcpu.armed and vcpu.e0spe and not vcpu.e1spe and self.strategy.traps_eret(vcpu)):
            return None
        if not self.strategy.acts_on_eret(vcpu):
            return None
        erets, to_el0 = self.stream.erets, self.stream.erets_to_el0
        if self.eret >= len(erets):
            return None
        k = count_before(to_el0, int(erets[self.eret]))
        return int(to_el0[k]) if k < len(to_el0) else None

    def _next_record(self) -> int | None:
        vcpu, stream = self.vcpu, self.stream
        horizon = len(stream.eligible)
        if self.own < len(stream.own_eligible):
            horizon = int(stream.own_eligible[self.own])
        if vcpu.service is not None or self.record >= horizon:
            return None
        first = self.record
        if stream.times[first] < vcpu.blackout_until:
            first += int(stream.times[first:horizon].searchsorted(vcpu.blackout_until))
            if first >= horizon:
                return None
        most = int(stream.sums[horizon] - stream.sums[first])
        reach = min(self._reach(most), most)
        record = (
            first
            + int(
                stream.sums[first : horizon + 1].searchsorted(stream.sums[first] + reach, "right")
            )
            - 1
        )
        return int(stream.eligible[record]) if reach < most else None

    def _reach(self, most: int) -> int:
        """How many bytes can be written from the pointer before a decision; more than `most`: all.

        A record needs a decision if it ends behind these bytes.
        """
        vcpu = self.vcpu
        reach = vcpu.limit - vcpu.pointer
        if self.strategy.takes_records:
            return max(0, min(reach, self.strategy.room(vcpu)))
        reach = min(reach, most)
        if reach <= 0:
            return 0
        size = vcpu.vm.page_size
        first, end = vcpu.pointer // size, (vcpu.pointer + reach - 1) // size + 1
        bad = self.first_bad(first, end)
        low, high = self._good
        if not low <= first < high:
            low, high = first, first
        self._good = (low, max(high, end) if bad is None else bad[0])
        return reach if bad is None else max(0, bad[0] * size - vcpu.pointer)
