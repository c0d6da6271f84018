import pytest
from session_recordings import BLOCK_WRITE, FETCH, FakeSpe, event, host, spe, whole_session

from spetrace.session.options import SessionOptions

RAM = 0x8000_0000
VCPU = {"tgid": 5}


@pytest.fixture(scope="module")
def session():
    events = [
        event("kvm_entry", 100, **VCPU),
        event("kvm_exit", 110, ret=2, esr_ec=0x24, vcpu_pc=0x1000, **VCPU),
        event("kvm_guest_fault", 112, hsr=BLOCK_WRITE, hxfar=7, ipa=RAM, vcpu_pc=0x1000, **VCPU),
        event("kvm_mmio", 113, **VCPU),
        event("kvm_userspace_exit", 114, reason=6, **VCPU),
        event("kvm_unmap_hva_range", 115, 6, comm="lkvm", start=1, end=2, **VCPU),
        event("kvm_entry", 120, **VCPU),
        event("kvm_exit", 130, ret=0, esr_ec=0, vcpu_pc=0x1004, **VCPU),
        event("kvm_exit", 140, ret=2, esr_ec=0x20, vcpu_pc=0x1008, **VCPU),
        event("kvm_guest_fault", 141, hsr=FETCH, hxfar=7, ipa=RAM, vcpu_pc=0x1000, **VCPU),
        event("kvm_entry", 150, **VCPU),
        event("kvm_exit", 160, ret=2, esr_ec=0x3F, vcpu_pc=None, **VCPU),
        event("sched_switch", 170, 99, comm="other", prev=3),
    ]
    guest = FakeSpe([(0, 1_000, 0, 64), (0, 1_005, 64, 64)], [(0, 0, 64, 1_000, 1)])
    return whole_session([host(events), spe(guest)], SessionOptions())


def columns(table, *names):
    return [tuple(row[n] for n in names) for row in table.to_pylist()]


def test_exits_are_paired_with_the_entry_that_follows(session) -> None:
    found = columns(session.tables["kvm_exits"], "exit_ns", "entry_ns", "handled_ns", "guest_fault")
    assert found == [
        (110, 120, 10, 0), (130, None, None, None), (140, 150, 10, 1), (160, None, None, None),
    ]  # fmt: skip


def test_exit_class_is_that_of_traps(session) -> None:
    found = columns(session.tables["kvm_exits"], "ret", "exit_class", "exit_class_name", "pc")
    assert found == [
        (2, 0x24, "DABT_LOW", 0x1000),
        (0, None, None, 0x1004),
        (2, 0x20, "IABT_LOW", 0x1008),
        (2, 0x3F, "0x3f", None),
    ]


def test_stage2_faults_are_decoded(session) -> None:
    names = (
        "time_ns",
        "kind",
        "level",
        "is_write",
        "is_fetch",
        "on_stage1_walk",
        "mmio",
        "handled_ns",
    )
    assert columns(session.tables["stage2_faults"], *names) == [
        (112, "translation", 2, True, False, False, True, 10),
        (141, "translation", 3, False, True, False, False, 10),
    ]
    names = ("vm", "vcpu", "esr", "va", "ipa", "fault_status", "pc")
    assert columns(session.tables["stage2_faults"], *names)[0] == (
        0, 0, BLOCK_WRITE, 7, RAM, 6, 0x1000,
    )  # fmt: skip


def test_aux_records_are_on_the_sessions_clock(session) -> None:
    found = columns(session.tables["aux_records"], "source", "time_ns", "aux_offset", "size_bytes")
    assert found == [(1, 100, 0, 64), (1, 105, 64, 64)]


def test_tracepoints_name_the_vm_and_vcpu_of_their_thread(session) -> None:
    entry = session.tracepoints["kvm_entry"].to_pylist()[0]
    assert entry == {
        "source": 0, "time_ns": 100, "cpu": 0, "pid": 10, "comm": "kvm-vcpu-0", "vcpu": 0, "vm": 0,
    }  # fmt: skip
    unmap = session.tracepoints["kvm_unmap_hva_range"].to_pylist()[0]
    assert (unmap["vm"], unmap["vcpu"], unmap["start"]) == (0, None, 1)
    other = session.tracepoints["sched_switch"].to_pylist()[0]
    assert (other["vm"], other["vcpu"], other["prev"]) == (None, None, 3)


def test_tables_of_a_kvm_recording_need_no_spe_data() -> None:
    session = whole_session([host([event("kvm_entry", 1)])], SessionOptions())
    assert session.events.num_rows == 0
    assert session.tables["kvm_exits"].num_rows == 0
    assert session.tracepoints["kvm_entry"].num_rows == 1
