"""The guests' memory: each VM's RAM, the buffers in it, and what the replay is told of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spetrace.session.assumptions import Assumptions
from spetrace.session.buffers import Buffer, PlacedBuffer, buffer_va, place_buffers
from spetrace.session.choices import Choices
from spetrace.session.host_stage2 import HostStage2
from spetrace.session.options import AssumedSpe
from spetrace.session.ram import DEFAULT_MEMORY_BYTES, Ram, find_ram
from spetrace.session.session_toml import VmChoices


def vm_ram(
    vm: int,
    stage2: HostStage2,
    choices: Choices,
    chosen: VmChoices,
    assumptions: Assumptions,
) -> Ram:
    """One VM's RAM; a flag's `memory_bytes` wins over the size that the files tell."""
    flag = _flag(choices.parameters, vm, "memory_bytes")
    memory = flag or chosen.memory_bytes or DEFAULT_MEMORY_BYTES
    given = (chosen.ram.ipa, chosen.ram.bytes) if chosen.ram else None
    ram = find_ram(stage2.memslots.get(vm, ()), given, memory, lambda: stage2.maps_of(vm))
    if flag:
        ram = replace(ram, bytes=flag)
    if not ram.is_known:
        text = f"VM {vm}'s RAM is not recorded: it begins {ram.how} and has memory_bytes."
        assumptions.add("vm.ram", f"{ram.bytes:#x} from {ram.ipa:#x}", text)
    return ram


def vm_parameters(
    rams: Mapping[int, Ram], stage2: HostStage2, choices: Choices, by_vm: Mapping[int, VmChoices]
) -> dict[str, Any]:
    """What the session knows of its VMs as a session line's parameters, but where flags say it."""
    vms: dict[str, dict[str, Any]] = {}
    for vm in sorted(rams.keys() | stage2.initial.keys() | by_vm.keys()):
        chosen = by_vm.get(vm, VmChoices())
        known: dict[str, Any] = {}
        ram = rams.get(vm)
        if ram and (ram.is_known or chosen.memory_bytes):
            known["memory_bytes"] = ram.bytes
        initial = stage2.initial.get(vm) or chosen.initial_stage2
        if initial:
            known["initial_stage2"] = initial
        known = {k: v for k, v in known.items() if _flag(choices.parameters, vm, k) is None}
        if known:
            vms[str(vm)] = known
    return {"vms": vms} if vms else {}


def assumed_buffers(
    vcpus: Iterable[tuple[int, int]], load: AssumedSpe, by_vm: Mapping[int, VmChoices]
) -> dict[int, list[Buffer]]:
    """Per VM the buffers of the vCPUs (VM, vCPU) that an assumed load runs on."""
    buffers: dict[int, list[Buffer]] = {}
    for vm, vcpu in vcpus:
        below, chosen = vcpu * load.buffer_bytes, by_vm.get(vm, VmChoices())
        buffers.setdefault(vm, []).append(
            Buffer(vm, vcpu, buffer_va(vcpu), load.buffer_bytes, below, chosen.chunks_of(vcpu))
        )
    return buffers


def placed_buffers(
    buffers: Mapping[int, Sequence[Buffer]],
    rams: Mapping[int, Ram],
    choices: Choices,
    assumptions: Assumptions,
) -> list[PlacedBuffer]:
    """All VMs' buffers in their RAM, VM by VM, as the placement says."""
    scattered = choices.placement == "scattered"
    seed = (choices.placement_seed or 0) if scattered else None
    listed = all(buffer.chunks for own in buffers.values() for buffer in own)
    if not choices.placement and not listed:
        text = "Nobody recorded where the buffers lie in the guest's RAM: in one piece at its top."
        assumptions.add("placement", "contiguous", text)
    if scattered and choices.placement_seed is None:
        assumptions.add("placement-seed", 0, "The seed of the scattered placement.")
    return [
        placed
        for vm in sorted(buffers)
        for placed in place_buffers(buffers[vm], rams[vm], choices.page_size, seed)
    ]


def _flag(parameters: Mapping[str, Any], vm: int, name: str) -> Any:
    """A replay parameter of one VM as given by flags; None where it is not."""
    vms = parameters.get("vms") or {}
    own = vms.get(vm, vms.get(str(vm), {})) if isinstance(vms, Mapping) else {}
    return own.get(name, parameters.get(name)) if isinstance(own, Mapping) else None
