"""What a write of an SPE register by the guest does."""

from __future__ import annotations

from spetrace.arm.registers import (
    PMBLIMITR_E,
    PMBLIMITR_LIMIT,
    PMBSR_S,
    PMSCR_E0SPE,
    PMSCR_E1SPE,
)
from spetrace.replay.strategy import Strategy
from spetrace.replay.vcpu import GUEST, Vcpu


def write_register(vcpu: Vcpu, strategy: Strategy, register: str, value: int) -> None:
    """Let the guest write one of the four registers, and the strategy act on it."""
    armed, enabled = vcpu.armed, vcpu.enabled_at_el1
    limit, enable = vcpu.limit, vcpu.enable
    begun = _update(vcpu, strategy, register, value)
    if strategy.traps_registers:
        vcpu.vm.counters.sysreg_traps += 1
        vcpu.charge(strategy.costs.sysreg_trap_ns)
    if enable and not vcpu.enable:
        strategy.on_disabled(vcpu)
    if vcpu.armed and (not armed or begun or vcpu.limit != limit):
        strategy.on_armed(vcpu)
    if vcpu.enabled_at_el1 and (not enabled or begun):
        strategy.on_enabled(vcpu)


def _update(vcpu: Vcpu, strategy: Strategy, register: str, value: int) -> bool:
    """Change the register's fields; whether this begins an epoch."""
    if register == "PMBPTR_EL1":
        _end_epoch(vcpu, strategy)
        vcpu.pointer = value
        vcpu.begin_epoch()
        return True
    if register == "PMBLIMITR_EL1":
        return _update_limit(vcpu, strategy, value)
    if register == "PMSCR_EL1":
        vcpu.e0spe, vcpu.e1spe = bool(value & PMSCR_E0SPE), bool(value & PMSCR_E1SPE)
    elif value & PMBSR_S:
        vcpu.set_service(GUEST)
    else:
        vcpu.clear_service()
    return False


def _update_limit(vcpu: Vcpu, strategy: Strategy, value: int) -> bool:
    enable = bool(value & PMBLIMITR_E)
    begins = enable and not vcpu.enable
    if begins or (vcpu.enable and not enable):
        _end_epoch(vcpu, strategy)
    vcpu.limit, vcpu.enable = value & PMBLIMITR_LIMIT, enable
    if begins:
        if vcpu.service != GUEST:
            vcpu.clear_service()
        vcpu.begin_epoch()
    return begins


def _end_epoch(vcpu: Vcpu, strategy: Strategy) -> None:
    strategy.on_epoch_end(vcpu)
    vcpu.end_epoch()
