"""How to record what a replay needs: the probes, tracepoints and commands, as a shell script.

The kprobes are on KVM's own page-table code (arch/arm64/kvm/hyp/pgtable.c, virt/kvm/kvm_main.c,
Linux 6.1 to 6.12): tracepoints tell neither the size nor the permission of what was mapped, and name
unmapped memory by host address only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Probe:
    """One kprobe: its event name, the kernel function, what it records, and what is lost without."""

    name: str
    symbol: str
    fields: str
    without: str

    @property
    def definition(self) -> str:
        """The line for tracefs' kprobe_events."""
        return f"p:kprobes/{self.name} {self.symbol} {self.fields}"


PROBES = (
    Probe(
        "s2_map",
        "kvm_pgtable_stage2_map",
        "pgt=$arg1:x64 ipa=$arg2:x64 size=$arg3:x64 pa=$arg4:x64 prot=$arg5:x32",
        "the size and permission of mappings are guessed from kvm_guest_fault",
    ),
    Probe(
        "s2_unmap",
        "kvm_pgtable_stage2_unmap",
        "pgt=$arg1:x64 ipa=$arg2:x64 size=$arg3:x64",
        "unmaps come from kvm_unmap_hva_range, which needs memslots and names no VM",
    ),
    Probe(
        "s2_relax",
        "kvm_pgtable_stage2_relax_perms",
        "pgt=$arg1:x64 ipa=$arg2:x64 prot=$arg3:x32",
        "pages that become writable after a permission fault are not seen by the probes",
    ),
    Probe(
        "s2_wp",
        "kvm_pgtable_stage2_wrprotect",
        "pgt=$arg1:x64 ipa=$arg2:x64 size=$arg3:x64",
        "write protection for dirty logging is not seen",
    ),
    Probe(
        "memslot",
        "__kvm_set_memory_region",
        "slot=+0($arg2):u32 flags=+4($arg2):x32 gpa=+8($arg2):x64 size=+16($arg2):x64 "
        "hva=+24($arg2):x64",
        "memslots must come from session.toml or --vmm-maps",
    ),
)
TRACEPOINTS = {
    "kvm_entry": "which threads are vCPUs, and when they run",
    "kvm_exit": "which threads are vCPUs, and when they run",
    "kvm_guest_fault": "stage-2 faults that vCPUs take",
    "kvm_mmio": "which of those faults map nothing",
    "kvm_mmio_emulate": "which of those faults map nothing",
    "kvm_mmio_nisv": "which of those faults map nothing",
    "kvm_unmap_hva_range": "unmaps by host address",
    "kvm_set_spte_hva": "pages replaced by the host",
}
"""KVM tracepoint to what the replay learns from it."""
NEWER_OR_OLDER = {
    "kvm_mmio_nisv": "Linux 6.12 has it, 6.1 does not",
    "kvm_set_spte_hva": "Linux 6.1 has it, 6.12 does not",
}
"""Tracepoints that not every kernel has; a replay does without."""


def parse_kallsyms(text: str) -> frozenset[str]:
    """The symbol names of /proc/kallsyms: the third word of each line."""
    return frozenset(words[2] for line in text.splitlines() if len(words := line.split()) >= 3)


def render_recipe(
    *, guest: bool = True, host: bool = True, symbols: Collection[str] | None = None
) -> str:
    """The recipe as a commented shell script for the guest's part, the host's, or both.

    With `symbols` (see `parse_kallsyms`) probes and tracepoints that the kernel lacks are left out
    and named, with what that costs.
    """
    parts = [_HEAD]
    if host:
        parts.append(_host(symbols))
    if guest:
        parts.append(_GUEST)
    parts.append(_replay(guest, host))
    return "\n".join(parts)


def _host(symbols: Collection[str] | None) -> str:
    lacking = [p for p in PROBES if symbols is not None and p.symbol not in symbols]
    missing = [t for t in TRACEPOINTS if symbols is not None and f"__traceiter_{t}" not in symbols]
    if symbols is None:
        missing = list(NEWER_OR_OLDER)
    probes = [p for p in PROBES if p not in lacking]
    events = [f"kvm:{t}" for t in TRACEPOINTS if t not in missing] + ["kprobes"] * bool(probes)
    lines = [_HOST, *(f"echo '{p.definition}' >> kprobe_events" for p in probes)]
    lines += [f"# this kernel has no {p.symbol}: {p.without}" for p in lacking]
    lines += ["echo 1 > options/record-tgid", "cd -", _RECORD]
    lines.append("trace-cmd record -C perf -b 40000 -o host.dat \\")
    lines.append(" \\\n".join("    " + " ".join(f"-e {e}" for e in row) for row in _rows(events)))
    lines += [_tracepoint_note(t, known=symbols is not None) for t in missing]
    return "\n".join([*lines, _MAPS])


def _tracepoint_note(name: str, known: bool) -> str:
    when = NEWER_OR_OLDER.get(name)
    if not known:
        return f"# add -e kvm:{name} where the kernel has it ({when})"
    return f"# this kernel has no kvm:{name}" + (f" ({when})" if when else f": {TRACEPOINTS[name]}")


def _rows(events: list[str], width: int = 3) -> list[list[str]]:
    return [events[i : i + width] for i in range(0, len(events), width)]


def _replay(guest: bool, host: bool) -> str:
    files = ["guest.perf.data"] * guest + ["host.dat"] * host
    assumed = "" if guest else " --assume-spe"
    note = "" if guest else "# No SPE data: an assumed SPE load runs on the recorded machines.\n"
    return f"# Then:\n{note}spetrace replay {' '.join(files)}{assumed} -o results\n"


_HEAD = """\
#!/bin/sh
# What a replay needs, recorded. Read it, then run the parts as root where each belongs.
"""
_HOST = """\
# --- Host: what KVM does at stage 2 ---------------------------------------------------------
# Start before the VM does: pages that were mapped earlier are unknown.
cd /sys/kernel/tracing || exit"""
_RECORD = """\
# -C perf: perf's own clock. SPE data recorded by perf on this very machine needs no alignment
# then: replay with --clock-offset 0. -b: KiB per CPU, so that no event is lost. Stop by Ctrl-C."""
_MAPS = """\
# Where the VM's RAM lies in its process, in case the memslot probe is lacking (PID: the VMM's);
# replay with --vmm-maps vmm-maps.txt --ram-base 0x40000000 --ram-bytes 4G:
#   cat /proc/PID/maps > vmm-maps.txt
# Remove the probes afterwards:
#   echo > /sys/kernel/tracing/kprobe_events
"""
_GUEST = """\
# --- Guest, or the bare-metal machine that runs the workload: the SPU's records ---------------
# Needs the SPE driver: ls /sys/bus/event_source/devices | grep arm_spe (else: modprobe
# arm_spe_pmu; with page-table isolation on, boot with kpti=off).
# -m ,16M: the AUX area; the file keeps this command line, and the replay takes the size from it.
#   Too small, and records are lost while perf drains it (spetrace info counts that).
# -c: operations per record; too few, and records collide.
# No -k: SPE timestamps are converted to perf's own clock, and to no other.
perf record -e arm_spe_0/ts_enable=1,pa_enable=1,jitter=1/ -c 4096 -m ,16M -a \\
    -o guest.perf.data -- sleep 10
"""
