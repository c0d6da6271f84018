from __future__ import annotations

import pytest
from text_logs import read_text, rows

from spetrace.ingest.event_text.kvm_formats import FORMATS

LINE = "      kvm-vcpu-0-2658    [001] d....   714.986984: {}: {}\n"
COMMON = {"index": 0, "time_ns": 714986984000, "cpu": 1, "pid": 2658, "comm": "kvm-vcpu-0"}
OP = {"Op0": 3, "Op1": 0, "CRn": 9, "CRm": 10, "Op2": 1}

PRINTED = [
    ("kvm_entry", "PC: 0x0000000080000000", {"vcpu_pc": 0x80000000}),
    ("kvm_entry", 'CAN\'T FIND FIELD "vcpu_id"<CANT FIND FIELD rip>PC: 0x0000000081d124f4', {"vcpu_pc": 0x81D124F4}),
    ("kvm_entry", "vcpu_pc=0xffff800080036884 (-140735340648316)", {"vcpu_pc": 0xFFFF800080036884}),
    ("kvm_exit", "TRAP: HSR_EC: 0x0020 (IABT_LOW), PC: 0x0000000080000000", {"ret": 2, "esr_ec": 0x20, "vcpu_pc": 0x80000000}),
    ("kvm_exit", "IRQ: HSR_EC: 0x0000 (UNKNOWN), PC: 0xffff80008063ddac", {"ret": 0, "esr_ec": 0, "vcpu_pc": 0xFFFF80008063DDAC}),
    ("kvm_exit", "0x3: HSR_EC: 0x001d (0x1d), PC: 0xffff80008063ddac", {"ret": 3, "esr_ec": 0x1D, "vcpu_pc": 0xFFFF80008063DDAC}),
    ("kvm_exit", "HYP_GONE: HSR_EC: 0x0000 (UNKNOWN), PC: 0x0000000000000000", {"ret": 0xBADCA11, "esr_ec": 0, "vcpu_pc": 0}),
    ("kvm_exit", "ret=2 esr_ec=0x0020 vcpu_pc=0x0000000080000000", {"ret": 2, "esr_ec": 0x20, "vcpu_pc": 0x80000000}),
    ("kvm_exit", "ret=0x2 (2) esr_ec=0x18 (24) vcpu_pc=0xffff8000800368bc (-140735340648260)", {"ret": 2, "esr_ec": 0x18, "vcpu_pc": 0xFFFF8000800368BC}),
    ("kvm_guest_fault", "ipa 0x8000000, hsr 0x92000046, hxfar 0xffff800009d00000, pc 0xffff800080081000",
     {"ipa": 0x8000000, "hsr": 0x92000046, "hxfar": 0xFFFF800009D00000, "vcpu_pc": 0xFFFF800080081000}),
    ("kvm_guest_fault", "ipa 0, hsr 0x82000006, hxfar 000000, pc 0000000000000000", {"ipa": 0, "hsr": 0x82000006, "hxfar": 0, "vcpu_pc": 0}),
    ("kvm_access_fault", "IPA: 80001000", {"ipa": 0x80001000}),
    ("kvm_irq_line", "Inject VGIC SPI interrupt (1), vcpu->idx: 0, num: 32, level: 1", {"type": 1, "vcpu_idx": 0, "irq_num": 32, "level": 1}),
    ("kvm_mmio_emulate", "Emulate MMIO at: 0x0000000080000010 (instr: f9000001, cpsr: 600003c5)", {"vcpu_pc": 0x80000010, "instr": 0xF9000001, "cpsr": 0x600003C5}),
    ("kvm_mmio_nisv", "ipa 0x00000001000000, esr 0x00000092000006, far 0x00ffff80001000, pc 0xffff800080081000",
     {"ipa": 0x1000000, "esr": 0x92000006, "far": 0xFFFF80001000, "vcpu_pc": 0xFFFF800080081000}),
    ("kvm_set_way_flush", "S/W flush at 0x0000000080000010 (cache on)", {"vcpu_pc": 0x80000010, "cache": True}),
    ("kvm_toggle_cache", "VM op at 0x0000000081d1217c (cache was off, now on)", {"vcpu_pc": 0x81D1217C, "was": False, "now": True}),
    ("kvm_timer_update_irq", "VCPU: 1, IRQ 27, level 0", {"vcpu_id": 1, "irq": 27, "level": 0}),
    ("kvm_get_timer_map", "VCPU: 0, dv: 1, dp: 0, ev: -1, ep: -1", {"vcpu_id": 0, "direct_vtimer": 1, "direct_ptimer": 0, "emul_vtimer": -1, "emul_ptimer": -1}),
    ("kvm_get_timer_map", "VCPU: 0, dv: 1, dp: 0, ep: -1", {"vcpu_id": 0, "direct_vtimer": 1, "direct_ptimer": 0, "emul_ptimer": -1}),
    ("kvm_timer_save_state", "   CTL: 0x000005 CVAL:       0x3e36db0a arch_timer_ctx_index: 1", {"ctl": 5, "cval": 0x3E36DB0A, "timer_idx": 1}),
    ("kvm_timer_save_state", "   CTL: 00000000 CVAL:                0 arch_timer_ctx_index: 0", {"ctl": 0, "cval": 0, "timer_idx": 0}),
    ("kvm_timer_restore_state", "ctl=00000000 cval=               0 timer_idx=1", {"ctl": 0, "cval": 0, "timer_idx": 1}),
    ("kvm_timer_hrtimer_expire", "arch_timer_ctx_index: 2", {"timer_idx": 2}),
    ("kvm_timer_emulate", "arch_timer_ctx_index: 2 (should_fire: 1)", {"timer_idx": 2, "should_fire": True}),
    ("kvm_nested_eret", "elr_el2: 0x80 spsr_el2: 0x000003c5 (M: 32-bit USR) hcr_el2: 80000002", {"elr_el2": 0x80, "spsr_el2": 0x3C5, "hcr_el2": 0x80000002}),
    ("kvm_inject_nested_exception", "IRQ: esr_el2 0x1 elr_el2: 0x80 spsr_el2: 0x000003c5 (M: EL2h) hcr_el2: 80000002",
     {"esr_el2": 1, "pc": 0x80, "spsr_el2": 0x3C5, "hcr_el2": 0x80000002}),
    ("kvm_forward_sysreg_trap", "800000a0 W (3,0,9,10,1)", {"pc": 0x800000A0, "is_read": False, "sysreg": 3 << 19 | 9 << 12 | 10 << 8 | 1 << 5}),
    ("kvm_wfx_arm64", "guest executed wfe at: 0xffff800080f3bec4", {"is_wfe": True, "vcpu_pc": 0xFFFF800080F3BEC4}),
    ("kvm_wfx_arm64", "guest executed wf>c< at: 0x0000000000000000", {}),
    ("kvm_hvc_arm64", "HVC at 0xffff800080028250 (r0: 0x0000000084000000, imm: 0x1)", {"vcpu_pc": 0xFFFF800080028250, "r0": 0x84000000, "imm": 1}),
    ("kvm_arm_setup_debug", "vcpu: 0000000055e7c92c, flags: 0x00000001", {"guest_debug": 1}),
    ("kvm_arm_setup_debug", "vcpu: 0xffff0000627c3720, flags: 0x00000000", {"vcpu": 0xFFFF0000627C3720, "guest_debug": 0}),
    ("kvm_set_guest_debug", "vcpu: 0000000055e7c92c, flags: 0x00030003", {"guest_debug": 0x30003}),
    ("kvm_arm_clear_debug", "flags: 0x00000000", {"guest_debug": 0}),
    ("kvm_arm_set_dreg32", "MDCR_EL2: 0x84e66", {"value": 0x84E66}),
    ("kvm_arm_set_dreg32", "ffff800081556bf0: 0x84e66", {"name": 0xFFFF800081556BF0, "value": 0x84E66}),
    ("kvm_arm_set_dreg32", "name=(0xffff800081556bf0:MDCR_EL2) value=0x84e66 (544358)", {"name": 0xFFFF800081556BF0, "value": 0x84E66}),
    ("kvm_arm_set_regset", "6 BKPTS CTRL:{0x0,0x0} VALUE:{0x0,0x0}", {"len": 6}),
    ("trap_reg", "trap_debug_regs write to reg 172 (0x0000000000001000)", {"reg": 172, "is_write": True, "write_value": 0x1000}),
    ("trap_reg", "ffff800080f6fc00 read from reg 3 (0x0000000000000000)", {"fn": 0xFFFF800080F6FC00, "reg": 3, "is_write": False, "write_value": 0}),
    ("kvm_handle_sys_reg", "HSR 0x6232c061", {"hsr": 0x6232C061}),
    ("kvm_sys_access", "PC: 800000a0 SYS_PMBPTR_EL1 (3,0,9,10,1) write", {"vcpu_pc": 0x800000A0, "is_write": True, **OP}),
    ("kvm_sys_access", "[FAILED TO PARSE] vcpu_pc=0x800000a0 is_write=1 name=0xffff800081551d40 Op0=3 Op1=0 CRn=9 CRm=10 Op2=1",
     {"vcpu_pc": 0x800000A0, "is_write": True, "name": 0xFFFF800081551D40, **OP}),
    ("kvm_sys_access", "vcpu_pc=0x800000a0 (2147483808) is_write=(0) name=(0xffff800081551d40:SYS_CTR_EL0) Op0=(3) Op1=(0) CRn=(9) CRm=(10) Op2=(1)",
     {"vcpu_pc": 0x800000A0, "is_write": False, "name": 0xFFFF800081551D40, **OP}),
    ("vgic_update_irq_pending", "VCPU: 0, IRQ 27, level: 1", {"vcpu_id": 0, "irq": 27, "level": True}),
    ("kvm_userspace_exit", "reason KVM_EXIT_MMIO (6)", {"reason": 6}),
    ("kvm_userspace_exit", "reason 0x27 (39)", {"reason": 39}),
    ("kvm_userspace_exit", "reason restart (4)", {"errno": -4}),
    ("kvm_userspace_exit", "reason error (14)", {"errno": -14}),
    ("kvm_userspace_exit", "reason=6 errno=-4", {"reason": 6, "errno": -4}),
    ("kvm_vcpu_wakeup", "wait time 3778400 ns, polling valid", {"ns": 3778400, "waited": True, "valid": True}),
    ("kvm_vcpu_wakeup", "poll time 1 ns, polling invalid", {"ns": 1, "waited": False, "valid": False}),
    ("kvm_set_irq", "gsi 3 level 1 source 0", {"gsi": 3, "level": 1, "irq_source_id": 0}),
    ("kvm_ack_irq", "irqchip 0 pin 2", {"irqchip": 0, "pin": 2}),
    ("kvm_mmio", "mmio unsatisfied-read len 4 gpa 0x3fffffe8 val 0x0", {"type": 0, "len": 4, "gpa": 0x3FFFFFE8, "val": 0}),
    ("kvm_mmio", "mmio write len 1 gpa 0x1000000 val 0x41", {"type": 2, "len": 1, "gpa": 0x1000000, "val": 0x41}),
    ("kvm_fpu", "load", {"load": 1}),
    ("kvm_halt_poll_ns", "vcpu 1: halt_poll_ns 0 (shrink 10000)", {"grow": False, "vcpu_id": 1, "new": 0, "old": 10000}),
    ("kvm_dirty_ring_push", "ring 0: dirty 0x1f reset 0x10 slot 2 offset 0x1234 (used 15)", {"index_f": 0, "dirty_index": 0x1F, "reset_index": 0x10, "slot": 2, "offset": 0x1234}),
    ("kvm_dirty_ring_reset", "ring 0: dirty 0x1f reset 0x10 (used 15)", {"index_f": 0, "dirty_index": 0x1F, "reset_index": 0x10}),
    ("kvm_dirty_ring_exit", "vcpu 3", {"vcpu_id": 3}),
    ("kvm_unmap_hva_range", "mmu notifier unmap range: 0x00ffff8aa00000 -- 0x00ffff8b200000", {"start": 0xFFFF8AA00000, "end": 0xFFFF8B200000}),
    ("kvm_age_hva", "mmu notifier age hva: 0x00000000000000 -- 0x000000004ef000", {"start": 0, "end": 0x4EF000}),
    ("kvm_test_age_hva", "mmu notifier test age hva: 0x00ffff7f002000", {"hva": 0xFFFF7F002000}),
    ("kvm_set_spte_hva", "mmu notifier set pte hva: 0x000000004f1000", {"hva": 0x4F1000}),
    ("print", "tracing_mark_write: phase start: lkvm", {"buf": "phase start: lkvm"}),
    ("print", "ip=tracing_mark_write buf=phase start lkvm", {"buf": "phase start lkvm"}),
]  # fmt: skip


@pytest.mark.parametrize(("event", "text", "fields"), PRINTED)
def test_format_known(event: str, text: str, fields: dict) -> None:
    recording = read_text(LINE.format(event, text))
    assert rows(recording, event) == [COMMON | fields]
    assert not recording.quality.counts


def test_format_all_known_are_tested() -> None:
    assert {event for event, _, _ in PRINTED} == set(FORMATS)


def test_format_marker_of_ftrace() -> None:
    recording = read_text(LINE.format("tracing_mark_write", "phase one"))
    assert rows(recording, "print") == [COMMON | {"buf": "phase one"}]


@pytest.mark.parametrize(
    ("event", "text", "fields"),
    [
        ("s2_map", "(ffff80008009f450) pgt=0xffff00000d68fa40 ipa=0x80000000 size=0x1000 pa=0x4d966000 prot=0x7",
         {"__probe_ip": 0xFFFF80008009F450, "pgt": 0xFFFF00000D68FA40, "ipa": 0x80000000, "size": 0x1000, "pa": 0x4D966000, "prot": 7}),
        ("memslot", "(__kvm_set_memory_region+0x0/0x480) slot=0 flags=0x0 gpa=0x80000000 size=0x8000000 hva=0xffff9bc00000",
         {"slot": 0, "flags": 0, "gpa": 0x80000000, "size": 0x8000000, "hva": 0xFFFF9BC00000}),
        ("memslot", "__probe_ip=ffff80008004e848 slot=1 flags=0x0 gpa=0x1020000 size=0x10000 hva=0xffffa4e57000",
         {"__probe_ip": 0xFFFF80008004E848, "slot": 1, "flags": 0, "gpa": 0x1020000, "size": 0x10000, "hva": 0xFFFFA4E57000}),
        ("sched_switch", "prev_comm=kvm vcpu 1 prev_pid=2659 prev_prio=120 prev_state=R+ ==> next_comm=a,b next_pid=-1 next_prio=120",
         {"prev_comm": "kvm vcpu 1", "prev_pid": 2659, "prev_prio": 120, "prev_state": "R+", "next_comm": "a,b", "next_pid": -1, "next_prio": 120}),
        ("softirq_entry", "vec=1 [action=TIMER]", {"vec": 1, "action": "TIMER"}),
        ("sched_process_exec", "filename=/bin/true pid=10 old_pid=0x4f60 (20320)", {"filename": "/bin/true", "pid_f": 10, "old_pid": 0x4F60}),
        ("remove_migration_pte", "addr=ffff7abbf000, pte=e000004512cfc3 order=0", {"addr": "ffff7abbf000", "pte": "e000004512cfc3", "order": 0}),
    ],
)  # fmt: skip
def test_format_name_value_lists(event: str, text: str, fields: dict) -> None:
    recording = read_text(LINE.format(event, text))
    assert rows(recording, event) == [COMMON | fields]
    assert not recording.quality.counts


def test_format_name_value_types_by_column() -> None:
    values = ("a=1 b=0x1 c=0x1 d=18446744073709551615", "a=-2 b=0 c=zz d=1", "a=3 e=9")
    frame = read_text("".join(LINE.format("probe", v) for v in values)).tracepoints["probe"]
    assert frame.select("a", "b", "c", "d", "e").to_dict(as_series=False) == {
        "a": [1, -2, 3], "b": [1, 0, None], "c": ["0x1", "zz", None],
        "d": ["18446744073709551615", "1", None], "e": [None, None, 9],
    }  # fmt: skip


def test_format_kinds_of_events_are_bounded() -> None:
    recording = read_text("".join(LINE.format(f"probe{i}", "a=1") for i in range(300)))
    assert list(recording.tracepoints) == sorted(f"probe{i}" for i in range(256))
    assert recording.quality.counts == {"text_unparsed_lines": 44}
