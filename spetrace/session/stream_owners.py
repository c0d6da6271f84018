"""Which vCPU each AUX stream of the SPE recordings belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from spetrace.session.assumptions import Assumptions
from spetrace.session.session_toml import StreamChoice, VmChoices
from spetrace.tables.recording import Recording


@dataclass(frozen=True)
class StreamOwner:
    """An AUX stream and its vCPU; `number` counts the VM's streams, in order of inputs and CPUs."""

    source: int
    stream: int
    vm: int
    vcpu: int
    number: int


def stream_owners(
    recordings: Sequence[Recording], by_vm: Mapping[int, VmChoices], assumptions: Assumptions
) -> list[StreamOwner]:
    """The owner of each stream: as session.toml says, else vCPU n of VM 0 for CPU n.

    The streams of a per-thread recording count as CPUs in their order.
    """
    owners: list[StreamOwner] = []
    counts: dict[int, int] = {}
    for source, stream, cpu in _streams(recordings):
        vm, vcpu, chosen = _owner(recordings[source].name, cpu, by_vm)
        owners.append(StreamOwner(source, stream, vm, vcpu, counts.setdefault(vm, 0)))
        counts[vm] += 1
        if not chosen:
            assumptions.add(
                "vm.stream",
                "VM 0",
                "SPE data of CPU n is taken for that of vCPU n of VM 0.",
            )
    return owners


def _streams(recordings: Sequence[Recording]) -> Iterator[tuple[int, int, int]]:
    for source, recording in enumerate(recordings):
        if recording.spe is not None:
            for stream, cpu in enumerate(recording.spe.stream_cpus):
                yield source, stream, stream if cpu is None else cpu


def _owner(name: str, cpu: int, by_vm: Mapping[int, VmChoices]) -> tuple[int, int, bool]:
    for vm, choices in by_vm.items():
        for choice in choices.stream:
            if _is_meant(choice, name, cpu):
                return vm, cpu if choice.vcpu is None else choice.vcpu, True
    return 0, cpu, False


def _is_meant(choice: StreamChoice, name: str, cpu: int) -> bool:
    if choice.cpu is not None and choice.cpu != cpu:
        return False
    return name == choice.file or name.endswith("/" + choice.file)
