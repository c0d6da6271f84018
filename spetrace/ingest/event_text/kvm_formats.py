"""The print formats of KVM/arm64's tracepoints and of ftrace's markers.

Sources: Linux 6.12 arch/arm64/kvm/trace_arm.h, trace_handle_exit.h, vgic/trace.h,
include/trace/events/kvm.h; 6.1 where it differs. The widths of printed addresses (%016lx, %#016lx)
are asked for, so that a line cut within one fits no format.
"""

from __future__ import annotations

import polars as pl

from spetrace.ingest.event_text.field import (
    choice,
    decimal,
    flag,
    hexadecimal,
    named,
    negated,
    pointer,
    system_register,
    text,
    untold,
)
from spetrace.ingest.event_text.print_format import PrintFormat, print_format

_I32 = decimal(pl.Int32())
_U32 = decimal(pl.UInt32())
_U64 = decimal(pl.UInt64())
_U8 = decimal(pl.UInt8())
_X32 = hexadecimal(pl.UInt32())
_X64 = hexadecimal(pl.UInt64())
_PC = hexadecimal(pl.UInt64(), digits=8)
_ADDRESS = hexadecimal(pl.UInt64(), digits=14)
_POINTER = pointer()
_WRITTEN = flag("write", "read")
_BIT = flag("1", "0")
_ON = flag("on", "off")
_OPERATION = {f"Op{i}": _U8 for i in (0, 1)} | {"CRn": _U8, "CRm": _U8, "Op2": _U8}

_EXIT_CODES = choice(pl.Int32(), {"IRQ": 0, "SERROR": 1, "TRAP": 2, "HYP_GONE": 0xBADCA11})
_MMIO_TYPES = choice(pl.UInt32(), {"unsatisfied-read": 0, "read": 1, "write": 2})
_DEBUG_TEXT = "vcpu: {vcpu}, flags: {guest_debug}"
_TIMER = {"ctl": _X64, "cval": _X64, "timer_idx": _I32}
_TIMER_TEXT = "CTL: {ctl} CVAL: {cval} arch_timer_ctx_index: {timer_idx}"
_HVA_TEXT = "{start} -- {end}"
_HVA_RANGE = {"start": _ADDRESS, "end": _ADDRESS}

FORMATS: dict[str, PrintFormat] = {
    "kvm_entry": print_format("PC: {vcpu_pc}", vcpu_pc=_PC),
    "kvm_exit": print_format(
        "{ret}: HSR_EC: {esr_ec} ({}), PC: {vcpu_pc}", ret=_EXIT_CODES, esr_ec=_X32, vcpu_pc=_PC
    ),
    "kvm_guest_fault": print_format(
        "ipa {ipa}, hsr {hsr}, hxfar {hxfar}, pc {vcpu_pc}",
        vcpu_pc=_ADDRESS, hsr=_X64, hxfar=_X64, ipa=_X64,
    ),
    "kvm_access_fault": print_format("IPA: {ipa}", ipa=_X64),
    "kvm_irq_line": print_format(
        "Inject {} interrupt ({type}), vcpu->idx: {vcpu_idx}, num: {irq_num}, level: {level}",
        type=_U32, vcpu_idx=_I32, irq_num=_I32, level=_I32,
    ),
    "kvm_mmio_emulate": print_format(
        "Emulate MMIO at: {vcpu_pc} (instr: {instr}, cpsr: {cpsr})",
        vcpu_pc=_PC, instr=_X64, cpsr=_X64,
    ),
    "kvm_mmio_nisv": print_format(
        "ipa {ipa}, esr {esr}, far {far}, pc {vcpu_pc}",
        vcpu_pc=_ADDRESS, esr=_X64, far=_X64, ipa=_X64,
    ),
    "kvm_set_way_flush": print_format(
        "S/W flush at {vcpu_pc} (cache {cache})", vcpu_pc=_PC, cache=_ON
    ),
    "kvm_toggle_cache": print_format(
        "VM op at {vcpu_pc} (cache was {was}, now {now})", vcpu_pc=_PC, was=_ON, now=_ON
    ),
    "kvm_timer_update_irq": print_format(
        "VCPU: {vcpu_id}, IRQ {irq}, level {level}", vcpu_id=_U64, irq=_U32, level=_I32
    ),
    "kvm_get_timer_map": print_format(
        "VCPU: {vcpu_id}, dv: {direct_vtimer}, dp: {direct_ptimer},{? ev: {emul_vtimer},?} ep: {emul_ptimer}",
        vcpu_id=_U64, direct_vtimer=_I32, direct_ptimer=_I32, emul_vtimer=_I32, emul_ptimer=_I32,
    ),
    "kvm_timer_save_state": print_format(_TIMER_TEXT, **_TIMER),
    "kvm_timer_restore_state": print_format(_TIMER_TEXT, **_TIMER),
    "kvm_timer_hrtimer_expire": print_format("arch_timer_ctx_index: {timer_idx}", timer_idx=_I32),
    "kvm_timer_emulate": print_format(
        "arch_timer_ctx_index: {timer_idx} (should_fire: {should_fire})",
        timer_idx=_I32, should_fire=_BIT,
    ),
    "kvm_nested_eret": print_format(
        "elr_el2: {elr_el2} spsr_el2: {spsr_el2} (M: {}) hcr_el2: {hcr_el2}",
        vcpu=untold(pl.UInt64()), elr_el2=_X64, spsr_el2=_X64, target_mode=untold(pl.UInt64()),
        hcr_el2=_X64,
    ),
    "kvm_inject_nested_exception": print_format(
        "{}: esr_el2 {esr_el2} elr_el2: {pc} spsr_el2: {spsr_el2} (M: {}) hcr_el2: {hcr_el2}",
        vcpu=untold(pl.UInt64()), esr_el2=_X64, type=untold(pl.Int32()), spsr_el2=_X64, pc=_X64,
        source_mode=untold(pl.UInt64()), hcr_el2=_X64,
    ),
    "kvm_forward_sysreg_trap": print_format(
        "{pc} {is_read} ({sysreg})", pc=_X64, sysreg=system_register(), is_read=flag("R", "W")
    ),
    "kvm_wfx_arm64": print_format(
        # libtraceevent can't evaluate the %c and prints ">c<", and then 0 for the PC.
        "guest executed wf{?{is_wfe} at: {vcpu_pc}?}{?>c< at: {}?}",
        vcpu_pc=_PC, is_wfe=flag("e", "i"),
    ),
    "kvm_hvc_arm64": print_format(
        "HVC at {vcpu_pc} (r0: {r0}, imm: {imm})", vcpu_pc=_PC, r0=_X64, imm=_X64
    ),
    "kvm_arm_setup_debug": print_format(_DEBUG_TEXT, vcpu=_POINTER, guest_debug=_X32),
    "kvm_set_guest_debug": print_format(_DEBUG_TEXT, vcpu=_POINTER, guest_debug=_X32),
    "kvm_arm_clear_debug": print_format("flags: {guest_debug}", guest_debug=_X32),
    "kvm_arm_set_dreg32": print_format("{name}: {value}", name=_POINTER, value=_X64),
    "kvm_arm_set_regset": print_format("{len} {name} CTRL:{} VALUE:{}", name=_POINTER, len=_I32),
    "trap_reg": print_format(
        "{fn} {is_write} reg {reg} ({write_value})",
        fn=_POINTER, reg=_I32, is_write=flag("write to", "read from"), write_value=_X64,
    ),
    "kvm_handle_sys_reg": print_format("HSR {hsr}", hsr=hexadecimal(pl.UInt64(), digits=8)),
    "kvm_sys_access": print_format(
        "PC: {vcpu_pc} {name} ({Op0},{Op1},{CRn},{CRm},{Op2}) {is_write}",
        vcpu_pc=_X64, is_write=_WRITTEN, name=_POINTER, **_OPERATION,
    ),
    "vgic_update_irq_pending": print_format(
        "VCPU: {vcpu_id}, IRQ {irq}, level: {level}", vcpu_id=_U64, irq=_U32, level=_BIT
    ),
    "kvm_userspace_exit": print_format(
        "reason {?{errno}?}{?{reason}?}",
        reason=named(pl.UInt32()),
        errno=negated(pl.Int32(), "restart", "error"),
    ),
    "kvm_vcpu_wakeup": print_format(
        "{waited} time {ns} ns, polling {valid}",
        ns=_U64, waited=flag("wait", "poll"), valid=flag("valid", "invalid"),
    ),
    "kvm_set_irq": print_format(
        "gsi {gsi} level {level} source {irq_source_id}", gsi=_U32, level=_I32, irq_source_id=_I32
    ),
    "kvm_ack_irq": print_format("irqchip {irqchip} pin {pin}", irqchip=_U32, pin=_U32),
    "kvm_mmio": print_format(
        "mmio {type} len {len} gpa {gpa} val {val}", type=_MMIO_TYPES, len=_U32, gpa=_X64, val=_X64
    ),
    "kvm_fpu": print_format("{load}", load=choice(pl.UInt32(), {"unload": 0, "load": 1})),
    "kvm_halt_poll_ns": print_format(
        "vcpu {vcpu_id}: halt_poll_ns {new} ({grow} {old})",
        grow=flag("grow", "shrink"), vcpu_id=_U32, new=_U32, old=_U32,
    ),
    "kvm_dirty_ring_push": print_format(
        "ring {index}: dirty {dirty_index} reset {reset_index} slot {slot} offset {offset} (used {})",
        index=_I32, dirty_index=_X32, reset_index=_X32, slot=_U32, offset=_X64,
    ),
    "kvm_dirty_ring_reset": print_format(
        "ring {index}: dirty {dirty_index} reset {reset_index} (used {})",
        index=_I32, dirty_index=_X32, reset_index=_X32,
    ),
    "kvm_dirty_ring_exit": print_format("vcpu {vcpu_id}", vcpu_id=_I32),
    "kvm_unmap_hva_range": print_format(f"mmu notifier unmap range: {_HVA_TEXT}", **_HVA_RANGE),
    "kvm_age_hva": print_format(f"mmu notifier age hva: {_HVA_TEXT}", **_HVA_RANGE),
    "kvm_test_age_hva": print_format("mmu notifier test age hva: {hva}", hva=_ADDRESS),
    "kvm_set_spte_hva": print_format("mmu notifier set pte hva: {hva}", hva=_ADDRESS),
    "print": print_format("{ip}: {buf}", ip=_POINTER, buf=text()),
}  # fmt: skip
"""By tracepoint; fields in the order of the format file."""

MARKER, MARKER_EVENT = "tracing_mark_write", "print"
MARKER_FORMAT = print_format("{buf}", ip=untold(pl.UInt64()), buf=text())
"""ftrace prints the event print under its function's name."""
