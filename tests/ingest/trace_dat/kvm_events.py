"""KVM/arm64's tracepoints: their fields as Linux declares them, and in which kernels they are so.

Linux 5.10, 6.1 and 6.12: arch/arm64/kvm/trace_arm.h, trace_handle_exit.h, vgic/trace.h,
include/trace/events/kvm.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

ALL = "5.10 6.1 6.12"
TABLE = f"""
{ALL} | kvm_entry | unsigned long vcpu_pc
{ALL} | kvm_exit | int ret; unsigned int esr_ec; unsigned long vcpu_pc
{ALL} | kvm_guest_fault | unsigned long vcpu_pc; unsigned long hsr; unsigned long hxfar; unsigned long long ipa
{ALL} | kvm_access_fault | unsigned long ipa
{ALL} | kvm_irq_line | unsigned int type; int vcpu_idx; int irq_num; int level
{ALL} | kvm_mmio_emulate | unsigned long vcpu_pc; unsigned long instr; unsigned long cpsr
6.12 | kvm_mmio_nisv | unsigned long vcpu_pc; unsigned long esr; unsigned long far; unsigned long ipa
{ALL} | kvm_set_way_flush | unsigned long vcpu_pc; bool cache
{ALL} | kvm_toggle_cache | unsigned long vcpu_pc; bool was; bool now
{ALL} | kvm_timer_update_irq | unsigned long vcpu_id; __u32 irq; int level
5.10 6.1 | kvm_get_timer_map | unsigned long vcpu_id; int direct_vtimer; int direct_ptimer; int emul_ptimer
6.12 | kvm_get_timer_map | unsigned long vcpu_id; int direct_vtimer; int direct_ptimer; int emul_vtimer; int emul_ptimer
{ALL} | kvm_timer_save_state | unsigned long ctl; unsigned long long cval; int timer_idx
{ALL} | kvm_timer_restore_state | unsigned long ctl; unsigned long long cval; int timer_idx
{ALL} | kvm_timer_hrtimer_expire | int timer_idx
{ALL} | kvm_timer_emulate | int timer_idx; bool should_fire
6.12 | kvm_nested_eret | struct kvm_vcpu * vcpu; unsigned long elr_el2; unsigned long spsr_el2; unsigned long target_mode; unsigned long hcr_el2
6.12 | kvm_inject_nested_exception | struct kvm_vcpu * vcpu; unsigned long esr_el2; int type; unsigned long spsr_el2; unsigned long pc; unsigned long source_mode; unsigned long hcr_el2
6.12 | kvm_forward_sysreg_trap | u64 pc; u32 sysreg; bool is_read
{ALL} | kvm_wfx_arm64 | unsigned long vcpu_pc; bool is_wfe
{ALL} | kvm_hvc_arm64 | unsigned long vcpu_pc; unsigned long r0; unsigned long imm
{ALL} | kvm_arm_setup_debug | struct kvm_vcpu * vcpu; __u32 guest_debug
{ALL} | kvm_arm_clear_debug | __u32 guest_debug
5.10 | kvm_arm_set_dreg32 | const char * name; __u32 value
6.1 6.12 | kvm_arm_set_dreg32 | const char * name; __u64 value
{ALL} | kvm_arm_set_regset | const char * name; int len; u64 ctrls[16]; u64 values[16]
{ALL} | trap_reg | const char * fn; int reg; bool is_write; u64 write_value
{ALL} | kvm_handle_sys_reg | unsigned long hsr
{ALL} | kvm_sys_access | unsigned long vcpu_pc; bool is_write; const char * name; u8 Op0; u8 Op1; u8 CRn; u8 CRm; u8 Op2
{ALL} | kvm_set_guest_debug | struct kvm_vcpu * vcpu; __u32 guest_debug
{ALL} | vgic_update_irq_pending | unsigned long vcpu_id; __u32 irq; bool level
{ALL} | kvm_userspace_exit | __u32 reason; int errno
{ALL} | kvm_vcpu_wakeup | __u64 ns; bool waited; bool valid
{ALL} | kvm_set_irq | unsigned int gsi; int level; int irq_source_id
{ALL} | kvm_ack_irq | unsigned int irqchip; unsigned int pin
{ALL} | kvm_mmio | u32 type; u32 len; u64 gpa; u64 val
{ALL} | kvm_halt_poll_ns | bool grow; unsigned int vcpu_id; unsigned int new; unsigned int old
6.1 6.12 | kvm_dirty_ring_push | int index; u32 dirty_index; u32 reset_index; u32 slot; u64 offset
6.1 6.12 | kvm_dirty_ring_reset | int index; u32 dirty_index; u32 reset_index
6.1 6.12 | kvm_dirty_ring_exit | int vcpu_id
{ALL} | kvm_unmap_hva_range | unsigned long start; unsigned long end
{ALL} | kvm_age_hva | unsigned long start; unsigned long end
{ALL} | kvm_test_age_hva | unsigned long hva
5.10 6.1 | kvm_set_spte_hva | unsigned long hva
"""
_SIZES = {"bool": 1, "u8": 1, "int": 4, "u32": 4, "__u32": 4, "u64": 8, "__u64": 8}
_SIGNED = {"int"}


class Field(NamedTuple):
    declaration: str
    name: str
    type: str
    """The words before the name."""
    offset: int
    size: int
    items: int
    signed: bool


class Tracepoint(NamedTuple):
    kernel: str
    name: str
    fields: tuple[Field, ...]


def iter_tracepoints() -> Iterator[Tracepoint]:
    """Each tracepoint once per kernel."""
    for line in TABLE.strip().splitlines():
        kernels, name, declarations = (part.strip() for part in line.split("|"))
        for kernel in kernels.split():
            yield Tracepoint(kernel, name, lay_out(declarations))


def lay_out(declarations: str) -> tuple[Field, ...]:
    """Fields where C puts them behind the 8 common bytes: each at a multiple of its size."""
    fields, at = [], 8
    for declaration in declarations.split("; "):
        match = re.fullmatch(r"(.*?) ?(\w+)(?:\[(\d+)\])?", declaration)
        assert match is not None
        type_, name, items = match[1], match[2], int(match[3] or 1)
        kind = type_.removeprefix("unsigned ")
        size = 8 if "*" in type_ or "long" in type_ else _SIZES[kind]
        at = -(-at // size) * size
        signed = type_ in _SIGNED
        fields.append(Field(declaration, name, type_, at, size * items, items, signed))
        at += size * items
    return tuple(fields)
