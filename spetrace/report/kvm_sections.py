"""The tables of a VM's report: exits, time, faults, refaults, mapped pages, SPE registers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from spetrace.report.profile_section import Heading, Section, counted, left_out, percent, share
from spetrace.report.units import render_count, render_time
from spetrace.report.wording import printable
from spetrace.tables.kvm_summary import Refaults, StateSummary, Times, VmSummary

_HANDLED: Final = "from kvm_exit to the next kvm_entry"
_P50 = Heading("p50", "half are not longer")
_P90 = Heading("p90", "90 % are not longer")
_P99 = Heading("p99", "99 % are not longer")
_MAX = Heading("longest", "the longest")
_TOTAL = Heading("in all", "their sum")
_VCPU = Heading("vCPU", "its number", True)
_FAULT_ROWS: Final = 12


def exits_section(vm: VmSummary) -> Section:
    """Exits by class, with their handling times."""
    exits = sum(each.exits for each in vm.exits)
    unpaired = exits - sum(each.handled.count for each in vm.exits)
    return Section(
        "Exits by class",
        (Heading("class", "ESR_EL2.EC as the kernel names it, or what else ended guest mode", True),
         Heading("exits", "kvm_exit events"), percent("all exits"), _TOTAL, _P50, _P90, _P99, _MAX),
        tuple(
            (printable(each.name), *counted(each.exits, exits), *_times(each.handled, total=True))
            for each in vm.exits
        ),
        f"Times are {_HANDLED}; {unpaired:,} of {exits:,} exits have none."
        if unpaired
        else f"Times are {_HANDLED}.",
    )  # fmt: skip


def vcpus_section(vm: VmSummary) -> Section:
    """Where the vCPUs' time went."""
    rows = []
    for each in vm.vcpus:
        whole = each.guest_ns + each.host_ns + each.unknown_ns
        rows.append(
            (
                "-" if each.vcpu is None else str(each.vcpu),
                render_count(each.exits),
                *_part(each.guest_ns, whole),
                *_part(each.host_ns, whole),
                *_part(each.unknown_ns, whole),
            )
        )
    whole_time = "the time from its first exit to its last entry"
    return Section(
        "Time in guest and host",
        (_VCPU, Heading("exits", "kvm_exit events"),
         Heading("guest", "from kvm_entry to the next kvm_exit"), percent(whole_time),
         Heading("host", _HANDLED), percent(whole_time),
         Heading("unknown", "after exits whose entry was lost"), percent(whole_time)),
        tuple(rows),
    )  # fmt: skip


def faults_section(vm: VmSummary) -> Section:
    """Stage-2 faults, alike ones counted together."""
    faults = sum(each.faults for each in vm.faults)
    shown = vm.faults[:_FAULT_ROWS]
    rate = (
        f"{vm.fault_rate.per_second:,.1f} faults per second that are no emulated access."
        if vm.fault_rate
        else ""
    )
    kinds = left_out(len(shown), len(vm.faults), "kinds, the most frequent")
    return Section(
        "Stage-2 faults",
        (Heading("outcome", "served, emulated (MMIO), or taken again: KVM has mapped nothing", True),
         Heading("status", "DFSC or IFSC, with the lookup level", True),
         Heading("access", "what it was for", True), Heading("faults", "kvm_guest_fault events"),
         percent("all faults"), _P50, _P99),
        tuple(
            (each.outcome, each.kind.replace(", level ", " L"), each.access,
             *counted(each.faults, faults), _time(each.handled.p50_ns), _time(each.handled.p99_ns))
            for each in shown
        ),
        " ".join(filter(None, (rate, kinds))),
    )  # fmt: skip


def refaults_section(refaults: Refaults) -> Section:
    """Refaults by access, with the time between unmap and fault."""
    return Section(
        "Refaults: pages that were mapped, unmapped and faulted in again",
        (Heading("access", "what the fault was for", True), Heading("refaults", "first faults of a vCPU on a page after an unmap of it"),
         percent("all refaults"), _P50, _P90, _P99, _MAX),
        tuple(
            (each.access, *counted(each.refaults, refaults.total), *_times(each.between))
            for each in refaults.classes
        ),
        f"{refaults.total:,} on {refaults.pages:,} pages, {refaults.mapped_before:,} of them of what "
        "is taken to have been mapped before the recording began. Times are from the unmap to the "
        "fault.",
    )  # fmt: skip


def between_section(refaults: Refaults) -> Section:
    """How long pages stayed unmapped."""
    labels = between_labels(refaults)
    return Section(
        "Refaults by time unmapped",
        (Heading("unmapped for", "from the unmap to the fault", True), Heading("refaults", "in that bin"),
         percent("all refaults")),
        tuple(
            (label, *counted(count, refaults.total))
            for label, count in zip(labels, refaults.histogram, strict=True)
            if count
        ),
    )  # fmt: skip


def between_labels(refaults: Refaults) -> list[str]:
    """The histogram's bins in words."""
    bounds = [_round_time(bound) for bound in refaults.bounds_ns]
    inner = [f"{low} to {high}" for low, high in pairwise(bounds)]
    return [f"less than {bounds[0]}", *inner, f"{bounds[-1]} or more"]


def pages_section(refaults: Refaults) -> Section:
    """The pages that were faulted in again most often."""
    return Section(
        "Pages refaulted most often",
        (Heading("IPA", "the page's first address", True), Heading("refaults", "of this page"),
         percent("all refaults"), _P50),
        tuple(
            (f"{each.ipa:#x}", *counted(each.refaults, refaults.total), render_time(each.between_p50_ns))
            for each in refaults.top_pages
        ),
        left_out(len(refaults.top_pages), refaults.pages, "pages"),
    )  # fmt: skip


def state_section(state: StateSummary) -> Section:
    """Mapped pages, in numbers."""
    cells = (state.start_pages, state.peak_pages, state.end_pages, round(state.mean_pages),
             round(state.mean_writable_pages))  # fmt: skip
    return Section(
        "Mapped pages",
        (Heading("told from", "what stage 2 is told from", True),
         Heading("at the start", "pages that stage 2 maps"), Heading("most", "at one time"),
         Heading("at the end", "when the recording ends"), Heading("on average", "over time"),
         Heading("writable\non average", "pages that are mapped writable, over time")),
        ((state.stage2_from, *map(render_count, cells)),),
    )  # fmt: skip


def registers_section(vm: VmSummary, start_ns: int) -> Section:
    """What the guest did with SPE's registers."""
    return Section(
        "SPE registers (trapped accesses)",
        (_VCPU, Heading("register", "SPE system register", True), Heading("reads", "trapped"),
         Heading("writes", "trapped"), Heading("first", "since the recording's start"),
         Heading("last", "since the recording's start")),
        tuple(
            ("-" if each.vcpu is None else str(each.vcpu), each.reg, render_count(each.reads),
             render_count(each.writes), render_time(each.first_ns - start_ns),
             render_time(each.last_ns - start_ns))
            for each in vm.registers
        ),
    )  # fmt: skip


def titled(prefix: str, sections: Iterable[Section]) -> list[Section]:
    """Sections with `prefix` before their titles."""
    return [Section(prefix + s.title, s.headings, s.rows, s.note) for s in sections]


def _part(part: int, whole: int) -> tuple[str, str]:
    return render_time(part), share(part, whole)


def _times(times: Times, *, total: bool = False) -> tuple[str, ...]:
    percentiles = (times.p50_ns, times.p90_ns, times.p99_ns, times.max_ns)
    return (*((render_time(times.total_ns),) if total else ()), *map(_time, percentiles))


def _time(ns: int | None) -> str:
    return "-" if ns is None else render_time(ns)


def _round_time(ns: int) -> str:
    """A power of ten, without decimals."""
    for unit, name in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if ns >= unit:
            return f"{ns // unit} {name}"
    return f"{ns} ns"
