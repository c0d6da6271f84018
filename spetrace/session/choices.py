"""What the user said, flags over session.toml, and the defaults where nobody said anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from spetrace.errors import InputError, UsageError
from spetrace.session.assumed_spe import check_assumed_spe
from spetrace.session.event_map import MappedEvent, read_event_map
from spetrace.session.machines import Machines
from spetrace.session.memslots import Memslot
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.session.session_toml import SessionToml, VmChoices, read_session_toml
from spetrace.session.toml_keys import STRUCTURE
from spetrace.session.vmm_maps import read_guest_ram

DEFAULT_PAGE_SIZE: Final = 4096
PAGE_SIZES: Final = (4096, 16384, 65536)
_AUX_UNIT: Final = 8192
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Choices:
    """All choices of one session; None where the default holds."""

    page_size: int = DEFAULT_PAGE_SIZE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Replay parameters given as flags."""
    assume_spe: AssumedSpe | None = None
    clock_offset_ns: int | None = None
    """For VMs whose [[vm]] has none."""
    cntvoff: int | None = None
    counter_hz: int | None = None
    stage2_from: str | None = None
    infer_read_only: bool | None = None
    aux_bytes: int | None = None
    placement: str | None = None
    placement_seed: int | None = None
    buffer_touched: bool | None = None
    guest_ram: Memslot | None = None
    """The memslot of VM 0 that a /proc/PID/maps gave."""
    vms: tuple[VmChoices, ...] = ()
    event_map: tuple[MappedEvent, ...] = ()

    @property
    def processes(self) -> dict[int, int | str]:
        """Per vCPU thread that session.toml names what its VM is told by."""
        return {
            tid: f"vm[{place}]" if vm.pid is None else vm.pid
            for place, vm in enumerate(self.vms)
            for tid in vm.vcpus
        }

    def by_vm(self, machines: Machines) -> dict[int, VmChoices]:
        """The [[vm]] of each VM; raises InputError where one names no VM or two name the same."""
        found: dict[int, VmChoices] = {}
        for place, choices in enumerate(self.vms):
            number = _number_of(choices, place, machines)
            if number in found:
                raise InputError(STRUCTURE, f"vm[{place}]: VM {number} has a [[vm]] before")
            found[number] = choices
        return found


def resolve(options: SessionOptions) -> Choices:
    """The choices of flags and session.toml.

    Raises UsageError for a flag out of range, InputError for a file that can't be read.
    """
    toml = SessionToml()
    if options.session_toml is not None:
        toml = read_session_toml(options.session_toml)
    parameters = options.parameters or {}
    is_flag = options.clock_offset_ns is not None
    choices = Choices(
        page_size=parameters.get("page_size", DEFAULT_PAGE_SIZE),
        parameters=parameters,
        assume_spe=_first(options.assume_spe, toml.assume_spe),
        clock_offset_ns=_first(options.clock_offset_ns, toml.clock_offset_ns),
        cntvoff=toml.cntvoff,
        counter_hz=toml.counter_hz,
        stage2_from=_first(options.stage2_from, toml.stage2_from),
        infer_read_only=_first(options.infer_read_only, toml.infer_read_only),
        aux_bytes=_first(options.aux_bytes, toml.aux_bytes),
        placement=_first(options.placement, toml.placement),
        placement_seed=_first(options.placement_seed, toml.placement_seed),
        buffer_touched=_first(options.buffer_touched, toml.buffer_touched),
        guest_ram=_guest_ram(options, toml),
        vms=tuple(replace(vm, clock_offset_ns=None) for vm in toml.vm) if is_flag else toml.vm,
        event_map=read_event_map(options.event_map) if options.event_map else (),
    )
    _check(choices)
    return choices


def _first(flag: _Value | None, key: _Value | None) -> _Value | None:
    return key if flag is None else flag


def _check(choices: Choices) -> None:
    if choices.page_size not in PAGE_SIZES:
        raise UsageError(f"page_size: {choices.page_size!r} is not one of 4096, 16384, 65536")
    memory = choices.parameters.get("memory_bytes")
    if memory is not None and (not isinstance(memory, int) or not 0 < memory < 1 << 63):
        raise UsageError(f"memory_bytes: {memory!r} is not an integer from 1 to 2^63 - 1")
    if choices.assume_spe:
        check_assumed_spe(choices.assume_spe)
    if choices.stage2_from not in (None, "probes", "tracepoints"):
        raise UsageError(f"--stage2-from: {choices.stage2_from!r} is not probes or tracepoints")
    if choices.placement not in (None, "contiguous", "scattered"):
        raise UsageError(f"--placement: {choices.placement!r} is not contiguous or scattered")
    aux = choices.aux_bytes
    if aux is not None and (not 0 < aux <= 1 << 40 or aux % _AUX_UNIT):
        raise UsageError(f"--aux-bytes: {aux} is not a multiple of {_AUX_UNIT}, 1 TiB at most")
    if abs(choices.clock_offset_ns or 0) > 1 << 62:
        raise UsageError(f"--clock-offset: {choices.clock_offset_ns} does not fit 63 bits")


def _guest_ram(options: SessionOptions, toml: SessionToml) -> Memslot | None:
    path = options.vmm_maps
    if path is None and toml.vmm_maps and options.session_toml is not None:
        path = options.session_toml.parent / toml.vmm_maps
    base, size = _first(options.ram_base, toml.ram_base), _first(options.ram_bytes, toml.ram_bytes)
    if path is None:
        if (base, size) != (None, None):
            raise UsageError("--ram-base and --ram-bytes need --vmm-maps")
        return None
    if base is None or not size or base + size > 1 << 63:
        raise UsageError("--vmm-maps needs --ram-base and --ram-bytes, together below 2^63")
    return read_guest_ram(path, base, size)


def _number_of(choices: VmChoices, place: int, machines: Machines) -> int:
    """The VM that a [[vm]] means: by number, process, threads, or its place."""
    if choices.vm is not None:
        return choices.vm
    if choices.pid is None and not choices.vcpus:
        return place
    for vm in machines.vms:
        if choices.pid is not None and vm.pid == choices.pid:
            return vm.vm
        if any(vcpu.tid in choices.vcpus for vcpu in vm.vcpus):
            return vm.vm
    raise InputError(
        STRUCTURE, f"vm[{place}]: no vCPU thread is of process {choices.pid} or in {choices.vcpus}"
    )
