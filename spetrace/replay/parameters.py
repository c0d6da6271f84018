"""The parameters of a replay, their defaults and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from spetrace.errors import UsageError
from spetrace.tables.events import CAUSES

PAGE_SIZES = (4096, 16384, 65536)
CHOICES = {
    "initial_stage2": ("empty", "all"),
    "dl_model": ("straddle", "always", "never"),
    "data_loss": ("discard", "keep"),
}
PER_VM = ("memory_bytes", "memlock_bytes", "initial_stage2")
OPTIONAL = ("memlock_bytes", "keep_ns")
_LARGEST = 2**63 - 1
_LARGEST_COST_NS = 10**12
_VM_DIGITS = 9
"""Of a VM's number; Python refuses to read numbers of thousands of digits."""


@dataclass(frozen=True)
class Costs:
    """What the model charges, in ns; assumptions until measured."""

    irq_ns: int = 1000
    vm_exit_ns: int = 1000
    walk_page_ns: int = 200
    map_page_ns: int = 500
    pin_page_ns: int = 700
    unpin_page_ns: int = 300
    sysreg_trap_ns: int = 1000
    eret_trap_ns: int = 1000
    copy_page_ns: int = 400


@dataclass(frozen=True)
class Parameters:
    """All parameters of a replay; `vms` holds what differs for single VMs (keys of PER_VM)."""

    memory_bytes: int = 1 << 30
    page_size: int = 4096
    memlock_bytes: int | None = None
    max_buffer_bytes: int = 256 << 20
    initial_stage2: str = "empty"
    dl_model: str = "straddle"
    data_loss: str = "discard"
    pin_refuses: str = "swap,migrate,ksm,numa,compact,unknown"
    keep_ns: int | None = 1_000_000_000
    host_buffer_bytes: int = 1 << 20
    costs: Costs = field(default_factory=Costs)
    vms: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def updated(self, values: Mapping[str, Any]) -> Parameters:
        """These parameters with `values` (nested as in an event log's session line) over them.

        Raises UsageError for an unknown name or a value out of range.
        """
        changes: dict[str, Any] = {}
        for name, value in values.items():
            if name == "costs":
                changes["costs"] = _updated_costs(self.costs, value)
            elif name == "vms":
                changes["vms"] = _updated_vms(self.vms, value)
            else:
                changes[name] = _checked(name, value)
        return replace(self, **changes)

    def overridden(self, values: Mapping[str, Any]) -> Parameters:
        """These parameters with `values` over them, and over what single VMs have of their own."""
        vms = {
            vm: {name: value for name, value in own.items() if name not in values}
            for vm, own in self.vms.items()
        }
        return replace(self, vms=vms).updated(values)

    def of_vm(self, vm: int) -> Parameters:
        """The parameters that hold for one VM."""
        return replace(self, **self.vms.get(vm, {}), vms={})

    @property
    def refused_causes(self) -> frozenset[str]:
        """The causes of stage2_unmap that a pinned page outlives."""
        return frozenset(c for c in self.pin_refuses.split(",") if c)

    def to_json(self) -> dict[str, Any]:
        """As a session line holds them."""
        return asdict(self) | {"vms": {str(vm): dict(v) for vm, v in self.vms.items()}}


def _updated_costs(costs: Costs, values: Any) -> Costs:
    if not isinstance(values, Mapping):
        raise UsageError(f"costs: {values!r} is not a table of costs")
    names = [f.name for f in fields(Costs)]
    for name, value in values.items():
        if name not in names:
            raise UsageError(f"costs.{name}: no such cost; there are {', '.join(names)}")
        _check_integer(f"costs.{name}", value, _LARGEST_COST_NS)
    return replace(costs, **values)


def _updated_vms(vms: Mapping[int, Mapping[str, Any]], values: Any) -> dict[int, dict[str, Any]]:
    if not isinstance(values, Mapping):
        raise UsageError(f"vms: {values!r} is not a table of VMs")
    merged = {vm: dict(v) for vm, v in vms.items()}
    for key, changes in values.items():
        number = str(key)
        if not number.isdecimal() or len(number) > _VM_DIGITS or not isinstance(changes, Mapping):
            raise UsageError(f"vms.{number:.40}: needs a VM number and a table of its parameters")
        for name, value in changes.items():
            if name not in PER_VM:
                raise UsageError(f"vms.{key}.{name}: only {', '.join(PER_VM)} may differ by VM")
            merged.setdefault(int(number), {})[name] = _checked(name, value)
    return merged


def _checked(name: str, value: Any) -> Any:
    known = [f.name for f in fields(Parameters)]
    if name not in known:
        raise UsageError(f"{name}: no such parameter; there are {', '.join(known)}")
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise UsageError(f"{name}: {value!r} is not one of {', '.join(CHOICES[name])}")
    elif name == "pin_refuses":
        _check_causes(value)
    elif name == "page_size":
        if value not in PAGE_SIZES or not isinstance(value, int):
            raise UsageError(f"page_size: {value!r} is not one of 4096, 16384, 65536")
    elif not (value is None and name in OPTIONAL):
        _check_integer(name, value, least=1 if name == "memory_bytes" else 0)
    return value


def _check_causes(value: Any) -> None:
    if not isinstance(value, str):
        raise UsageError(f"pin_refuses: {value!r} is not a comma-separated string of causes")
    for cause in value.split(",") if value else ():
        if cause not in CAUSES:
            raise UsageError(f"pin_refuses: {cause!r} is not one of {', '.join(CAUSES)}")


def _check_integer(name: str, value: Any, largest: int = _LARGEST, *, least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= largest:
        raise UsageError(f"{name}: {value!r} is not an integer from {least} to {largest}")
