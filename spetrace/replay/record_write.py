"""The SPU writes one record that needs a decision."""

from __future__ import annotations

from spetrace.replay.cursor import Cursor
from spetrace.replay.strategy import Resume
from spetrace.replay.vcpu import FULL, STAGE1


def write_record(cursor: Cursor) -> None:
    """Let the SPU write the record at the cursor, which profiling is enabled for."""
    vcpu, size = cursor.vcpu, cursor.size()
    page_size = vcpu.vm.page_size
    if vcpu.pointer + size > vcpu.limit:
        cursor.lose("lost_full")
        vcpu.set_service(FULL)
        return
    if cursor.strategy.takes_records:
        _write_to_host(cursor, size)
        return
    last = (vcpu.pointer + size - 1) // page_size
    bad = cursor.first_bad(vcpu.pointer // page_size, last + 1)
    if bad is None:
        cursor.write_one()
    elif bad[1] is None:
        _stage1_fault(cursor, bad[0])
    else:
        _stage2_fault(cursor, bad[0], bad[1], bad[2])


def _write_to_host(cursor: Cursor, size: int) -> None:
    vcpu = cursor.vcpu
    if size <= cursor.strategy.room(vcpu):
        cursor.write_one()
        return
    cursor.lose("lost_fault")
    decision = cursor.strategy.on_no_room(vcpu)
    if isinstance(decision, Resume):
        vcpu.resume(decision, vcpu.pointer, None)
    else:
        vcpu.abort(decision)


def _stage1_fault(cursor: Cursor, page: int) -> None:
    """The guest's own fault: its stage 1 has no mapping for the page."""
    vcpu = cursor.vcpu
    vcpu.vm.counters.stage1_faults += 1
    cursor.lose("lost_fault")
    if cursor.data_loss(page):
        vcpu.lose_data()
    vcpu.set_service(STAGE1)


def _stage2_fault(cursor: Cursor, page: int, ipa_page: int, on_walk: bool) -> None:
    vcpu = cursor.vcpu
    fault = cursor.fault(page, ipa_page, on_walk)
    cursor.lose("lost_fault")
    decision = cursor.strategy.on_fault(vcpu, fault)
    ipa = ipa_page * vcpu.vm.page_size
    if isinstance(decision, Resume):
        vcpu.resume(decision, fault.va, ipa)
    else:
        vcpu.abort(decision, fault.va, ipa)
