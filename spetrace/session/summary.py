"""What a session says of itself: its inputs, clocks and machines, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spetrace.session.clocks import Alignment, HostClock
from spetrace.session.host_names import ENTRY, EXIT, GUEST_FAULT
from spetrace.session.host_stage2 import HostStage2
from spetrace.session.machines import Machines
from spetrace.session.memslots import ALWAYS
from spetrace.session.ram import Ram
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import frames_of


def describe_inputs(recordings: Sequence[Recording]) -> list[dict[str, Any]]:
    """Per input its name, format, size, clock, properties and MIDRs; `sha256` of files is for who opens them."""
    return [
        {
            "name": recording.name,
            "format": recording.format,
            "size_bytes": recording.size_bytes,
            "sha256": recording.sha256,
            "clock": recording.clock,
            "properties": recording.properties,
            "midrs": _midrs(recording),
        }
        for recording in recordings
    ]


def _midrs(recording: Recording) -> dict[str, str]:
    """MIDR_EL1 by CPU in hexadecimal, under "all" the one of all others; empty without SPE data."""
    midrs = recording.spe.midrs if recording.spe else {}
    return {"all" if cpu is None else str(cpu): f"{midr:#x}" for cpu, midr in midrs.items()}


def describe_clocks(
    recordings: Sequence[Recording],
    hosts: Mapping[int, HostClock],
    alignments: Mapping[int, Alignment],
) -> list[dict[str, Any]]:
    """Per input its clock, what was added to its times, and how that is known."""
    described = []
    for source, recording in enumerate(recordings):
        found = alignments.get(source) or Alignment(0, "the session's clock")
        host = hosts.get(source)
        how = host.how if host and source not in alignments else found.how
        described.append(
            {
                "source": source,
                "clock": recording.clock,
                "offset_ns": found.offset_ns,
                "how": how,
            }
        )
    return described


def describe_machines(
    machines: Machines, stage2: HostStage2, rams: Mapping[int, Ram]
) -> list[dict[str, Any]]:
    """Per VM its process, vCPUs, RAM, memslots and initial stage 2."""
    return [
        {
            "vm": vm.vm,
            "pid": vm.pid,
            "vcpus": [{"vcpu": c.vcpu, "pid": c.tid, "comm": c.comm} for c in vm.vcpus],
            "ram": {"ipa": rams[vm.vm].ipa, "bytes": rams[vm.vm].bytes},
            "memslots": [
                {
                    "hva": slot.hva,
                    "ipa": slot.ipa,
                    "bytes": slot.bytes,
                    "read_only": slot.read_only,
                    "deleted": slot.until != ALWAYS,
                }
                for slot in stage2.memslots.get(vm.vm, ())
            ],
            "initial_stage2": stage2.initial.get(vm.vm),
        }
        for vm in machines.vms
    ]


def what_was_found(recordings: Sequence[Recording], machines: Machines, *, assumed: bool) -> str:
    """Why there is nothing to replay, what the inputs hold instead, and what to do.

    `assumed` says whether an SPE load was asked for: then what it needs is missing.
    """
    counts = dict.fromkeys((ENTRY, EXIT, GUEST_FAULT), 0)
    for recording in recordings:
        for name in counts:
            counts[name] += frames_of(recording.tracepoints).counts.get(name, 0)
    if any(recording.spe for recording in recordings):
        return (
            "nothing to replay: the inputs' SPE data comes without AUX records, which tell when the "
            "buffer was programmed: a perf.data that perf record wrote has them"
        )
    if not any(counts.values()):
        return (
            "nothing to replay: the inputs hold neither SPE data nor an event log, and no "
            f"{ENTRY}, {EXIT} or {GUEST_FAULT}; {_advice_for_nothing(recordings)}"
        )
    held = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    vcpus = _counted(sum(len(vm.vcpus) for vm in machines.vms), "vCPU")
    found = f"the inputs hold no SPE data, only {held} on {vcpus} of {_counted(len(machines.vms), 'VM')}"
    advice = (
        "an assumed SPE load needs kvm_entry and kvm_exit: record them (spetrace recipe)"
        if assumed
        else "give --assume-spe for an assumed SPE load on them, or add an SPE recording "
        "(perf.data with arm_spe)"
    )
    return f"nothing to replay: {found}; {advice}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _advice_for_nothing(recordings: Sequence[Recording]) -> str:
    counters = {counter.name for recording in recordings for counter, _count in recording.quality}
    if "perf_script_without_guest" in counters:
        return "perf script leaves them out: give the perf.data that it printed"
    return "record SPE (perf record -e arm_spe_0//) or give an event log"
