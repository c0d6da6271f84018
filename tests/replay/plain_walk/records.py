"""`spe_record`: what becomes of one sample record."""

from dataclasses import dataclass

from plain_walk.state import UNMAPPED, WRITABLE


@dataclass
class Fault:
    """A stage-2 fault of a record's write."""

    va: int
    """The first byte of the record that cannot be written."""
    va_page: int
    ipa_page: int
    on_walk: bool
    data_loss: bool


def spe_record(walk, vcpu, size):
    """A written record's outcome is known when its epoch ends, or is lost to data loss."""
    record = len(walk.details.outcomes)
    walk.record_vms.append(vcpu.vm)
    walk.details.outcomes.append("written")
    walk.details.outcomes[record] = _outcome(walk, vcpu, record, size)


def _outcome(walk, vcpu, record, size):
    if not vcpu.enabled:
        if vcpu.s and vcpu.reason is not None:
            return "lost_full" if vcpu.reason == "full" else "lost_stopped"
        return "not_profiled"
    if walk.now < vcpu.blackout_until:
        walk.last_blackout[vcpu.vm.number, vcpu.number].records_lost += 1
        return "lost_blackout"
    if vcpu.pointer + size > vcpu.limit:
        vcpu.stop("full")
        return "lost_full"
    taken = walk.strategy.take_record(vcpu, record, size)
    if taken is not None:
        return taken
    return _write(walk, vcpu, record, size)


def _write(walk, vcpu, record, size):
    first = vcpu.pointer // vcpu.vm.page_size
    last = (vcpu.pointer + size - 1) // vcpu.vm.page_size
    for page in range(first, last + 1):
        data_loss = _data_loss(vcpu, page)
        if page not in vcpu.vm.stage1:
            vcpu.vm.count("stage1_faults")
            vcpu.stop("s1")
            if data_loss:
                walk.lose_to_data_loss(vcpu)
            return "lost_fault"
        fault = _stage2_fault(walk.strategy, vcpu, page, data_loss)
        if fault is not None:
            vcpu.vm.count("stage2_faults")
            vcpu.vm.count("stage2_faults_on_walk", int(fault.on_walk))
            walk.strategy.on_stage2_fault(vcpu, fault)
            return "lost_fault"
    vcpu.pointer += size
    vcpu.written.append(record)
    return "written"


def _stage2_fault(strategy, vcpu, page, data_loss):
    if not strategy.has_stage2:
        return None
    va = max(vcpu.pointer, page * vcpu.vm.page_size)
    ipa_page, tables = vcpu.vm.stage1[page]
    for table in tables:
        if vcpu.vm.stage2(table) == UNMAPPED:
            return Fault(va, page, table, True, data_loss)
    if vcpu.vm.stage2(ipa_page) != WRITABLE:
        return Fault(va, page, ipa_page, False, data_loss)
    return None


def _data_loss(vcpu, page):
    """DL of a fault on that page of the record at the write pointer."""
    straddles = page != vcpu.pointer // vcpu.vm.page_size
    model = vcpu.vm.parameters.dl_model
    if model == "never":
        return False
    return straddles or (model == "always" and len(vcpu.written) > 0)
