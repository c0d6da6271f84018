import pytest
from session_recordings import event, host, whole_session
from stage2_traces import entry, leave, table

from spetrace.arm.spe_registers import SPE_REGISTERS
from spetrace.session.options import SessionOptions

ROW = ("vm", "vcpu", "time_ns", "pc", "reg", "is_write", "value")
NAMES = ("Op0", "Op1", "CRn", "CRm", "Op2")


def access(time: int, encoding, is_write: int = 0, pid: int = 10, **fields):
    numbers = dict(zip(NAMES, encoding, strict=True))
    return event(
        "kvm_sys_access", time, pid, vcpu_pc=0x1000, is_write=is_write, **numbers, **fields
    )


def syndrome(encoding, is_read: bool) -> int:
    op0, op1, crn, crm, op2 = encoding
    iss = op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1 | is_read
    return 0x18 << 26 | 1 << 25 | 3 << 5 | iss


def accesses(*events):
    session = whole_session([host([entry(1), leave(2), *events])], SessionOptions())
    return table(session, "spe_register_accesses", *ROW)


@pytest.mark.parametrize("encoding", SPE_REGISTERS, ids=SPE_REGISTERS.values())
def test_every_register_is_named_by_either_tracepoint(encoding) -> None:
    name = SPE_REGISTERS[encoding]
    assert accesses(access(3, encoding, 1)) == [(0, 0, 3, 0x1000, name, True, None)]
    handled = event("kvm_handle_sys_reg", 3, hsr=syndrome(encoding, True))
    assert accesses(handled) == [(0, 0, 3, None, name, False, None)]


def test_other_registers_and_threads_are_left_out() -> None:
    pmbptr = (3, 0, 9, 10, 1)
    assert accesses(access(3, (3, 0, 0, 5, 0)), access(4, pmbptr, pid=99)) == []
    assert accesses(access(3, (3, 0, 9, 10, 17))) == []
    not_sys64 = syndrome(pmbptr, True) ^ 1 << 26
    assert accesses(event("kvm_handle_sys_reg", 3, hsr=not_sys64)) == []


def test_both_tracepoints_tell_of_one_access() -> None:
    pmscr = (3, 0, 9, 9, 0)
    both = (event("kvm_handle_sys_reg", 3, hsr=syndrome(pmscr, False)), access(4, pmscr, 1))
    assert accesses(*both) == [(0, 0, 4, 0x1000, "PMSCR_EL1", True, None)]
