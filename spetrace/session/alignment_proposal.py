"""A clock offset proposed from what both sides saw: the guest's events, and when it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from spetrace.errors import NothingToReplayError, UsageError
from spetrace.session.clocks import HostClock, TickRate
from spetrace.session.event_run import Integers
from spetrace.session.guest_time import GuestTime, guest_times
from spetrace.session.host_trace import HostTrace, host_trace
from spetrace.session.machines import Machines, find_machines
from spetrace.session.offset_search import OffsetRange, find_offset
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of

STRUCTURE: Final = "clock alignment"
_ROUNDED_NS: Final = 1000
"""What a text log's six decimals leave."""


@dataclass(frozen=True)
class AlignmentProposal:
    """The offset that guest times need to be the host's, and of which VM and clocks."""

    vm: int
    machines: Machines
    """The VMs that the host's recording shows."""
    found: OffsetRange
    host_clock: str
    guest_clock: str
    other_cpus: int
    """Guest events on CPUs that no recorded vCPU has; left out."""


def propose_alignment(
    host: Recording,
    guests: Sequence[Recording],
    counter_hz: int | None = None,
    vm: int | None = None,
    processes: Mapping[int, int | str] | None = None,
) -> AlignmentProposal:
    """The offset that lays the tracepoints and SPE records of `guests` into the VM's guest time.

    `guests` are recordings of one guest on one clock; ticks become ns by `counter_hz`, else by the
    TIME_CONV of one of them. Guest CPU n is vCPU n. `processes` names the VMM of threads whose process
    was not recorded, as a session.toml does. Raises NothingToReplayError where the host's
    recording tells of no guest time or the guest's holds no event for it, UsageError where `vm` is
    not, or has to be, given.
    """
    rate = TickRate(counter_hz, next((g.spe.time_conversion for g in guests if g.spe), None))
    clock = rate.clock(host)
    trace = host_trace([host], {0: clock})
    machines = find_machines(trace, processes)
    chosen = _chosen_vm(machines, vm, host)
    own = _guest_time(trace, machines, chosen, host, clock)
    times, how, rounding = _guest_events(guests, rate)
    tracks = [(times[vcpu], held.widened(rounding)) for vcpu, held in own.items() if vcpu in times]
    if not tracks:
        cpus, vcpus = (", ".join(map(str, sorted(each))) or "none" for each in (times, own))
        cause = (
            f"the guest's events are on CPUs {cpus}; VM {chosen} has guest time on vCPUs {vcpus}"
        )
        raise NothingToReplayError(f"{STRUCTURE}: {cause}")
    found = find_offset(tracks)
    if found is None:
        raise NothingToReplayError(f"{STRUCTURE}: no event of the guest fits into its guest time")
    left_out = sum(len(t) for vcpu, t in times.items() if vcpu not in own)
    return AlignmentProposal(chosen, machines, found, clock.how, how, left_out)


def _chosen_vm(machines: Machines, vm: int | None, host: Recording) -> int:
    numbers = [m.vm for m in machines.vms]
    if not numbers:
        cause = "the host's recording holds no kvm_entry or kvm_exit"
        raise NothingToReplayError(f"{host.name}: {STRUCTURE}: {cause}")
    if vm is None and len(numbers) > 1:
        raise UsageError(f"--vm: {host.name} has VMs {', '.join(map(str, numbers))}: say which")
    if vm is not None and vm not in numbers:
        raise UsageError(f"--vm {vm}: {host.name} has VMs {', '.join(map(str, numbers))}")
    return numbers[0] if vm is None else vm


def _guest_time(
    trace: HostTrace, machines: Machines, vm: int, host: Recording, clock: HostClock
) -> dict[int, GuestTime]:
    own = guest_times(trace, machines, vm)
    if not any(len(held.start) for held in own.values()):
        cause = f"VM {vm} has no kvm_entry that a kvm_exit follows"
        raise NothingToReplayError(f"{host.name}: {STRUCTURE}: {cause}")
    edges = [t for held in own.values() for t in (held.start, held.end)]
    rounding = _rounding(clock, edges)
    return {vcpu: held.widened(rounding) for vcpu, held in own.items()} if rounding else own


def _guest_events(
    guests: Sequence[Recording], rate: TickRate
) -> tuple[dict[int, Integers], str, int]:
    """Per CPU the times of all events, how they became ns, and to how many ns they are rounded."""
    parts: dict[int, list[Integers]] = {}
    rounding, how = 0, "perf's time"
    for guest in guests:
        found = [_record_times(guest)]
        if guest.tracepoints:
            traced = {c: rate.guest_ns(guest, t) for c, t in _tracepoint_times(guest).items()}
            rounding = max(rounding, _rounding(rate.clock(guest), list(traced.values())))
            found.append(traced)
            how = rate.clock(guest).how
        for cpu, times in (pair for own in found for pair in own.items()):
            parts.setdefault(cpu, []).append(times)
    return {cpu: np.concatenate(times) for cpu, times in parts.items()}, how, rounding


def _tracepoint_times(guest: Recording) -> dict[int, Integers]:
    pieces = frames_of(guest.tracepoints).batches()
    columns = [frame.select("cpu", "time_ns").drop_nulls() for _name, frame in pieces]
    return _by_cpu(pl.concat(columns)) if columns else {}


def _record_times(guest: Recording) -> dict[int, Integers]:
    """Times of SPE records by the CPU of their stream; of a per-thread recording by its number."""
    if guest.spe is None:
        return {}
    cpus = guest.spe.stream_cpus
    parts: dict[int, list[Integers]] = {}
    for stream, batch in guest.spe.batches({"time_ns"}, in_order=False):
        cpu = cpus[stream]
        times = batch["time_ns"].drop_null().to_numpy(zero_copy_only=False)
        parts.setdefault(stream if cpu is None else cpu, []).append(times)
    return {cpu: np.concatenate(times) for cpu, times in parts.items()}


def _by_cpu(events: pl.DataFrame) -> dict[int, Integers]:
    return {
        cpu: own["time_ns"].to_numpy()
        for (cpu,), own in events.partition_by("cpu", as_dict=True).items()
    }


def _rounding(clock: HostClock, times: Sequence[Integers]) -> int:
    """By how much times may be off: a tick, or a microsecond where all are whole ones."""
    if clock.numerator != clock.denominator:
        return -(-clock.numerator // clock.denominator)
    return _ROUNDED_NS if all((t % _ROUNDED_NS == 0).all() for t in times) else 0
