"""`sysreg_write`: the guest programs its SPU."""

LIMIT, E = ~0xFFF, 1 << 0
E0SPE, E1SPE = 1 << 0, 1 << 1
S = 1 << 17


def sysreg_write(walk, vcpu, reg, value):
    vcpu.el = 1
    armed, enabled, e, limit = vcpu.armed, vcpu.enabled, vcpu.e, vcpu.limit
    began = _update(walk, vcpu, reg, value)
    if walk.strategy.traps_registers:
        vcpu.vm.count("sysreg_traps")
        vcpu.charge(vcpu.vm.costs.sysreg_trap_ns)
    if e and not vcpu.e:
        walk.strategy.on_disabled(vcpu)
    if vcpu.armed and (not armed or began or vcpu.limit != limit):
        walk.strategy.on_armed(vcpu)
    if vcpu.enabled and (not enabled or began):
        walk.strategy.on_enabled(vcpu)


def _update(walk, vcpu, reg, value):
    """Update the field(s); whether the write began an epoch."""
    if reg == "PMBPTR_EL1":
        walk.end_epoch(vcpu)
        vcpu.pointer = value
        vcpu.begin_epoch()
        return True
    if reg == "PMBLIMITR_EL1":
        return _update_limit(walk, vcpu, value & LIMIT, bool(value & E))
    if reg == "PMSCR_EL1":
        vcpu.e0spe, vcpu.e1spe = bool(value & E0SPE), bool(value & E1SPE)
    elif value & S:
        vcpu.s = True
    else:
        walk.clear_s(vcpu)
    return False


def _update_limit(walk, vcpu, limit, e):
    changed = vcpu.e != e
    if changed:
        walk.end_epoch(vcpu)
    vcpu.limit, vcpu.e = limit, e
    if not changed or not e:
        return False
    if vcpu.reason is not None:
        walk.clear_s(vcpu)
    vcpu.begin_epoch()
    return True
