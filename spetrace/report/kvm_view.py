"""What the report on KVM recordings holds, computed once; formats only draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from spetrace.report.basis import (
    AssumptionLine,
    InputLine,
    LossLine,
    assumption_lines,
    cautions,
    facts,
    input_lines,
    loss_lines,
)
from spetrace.report.kvm_inference import inference_sections
from spetrace.report.kvm_sections import (
    between_section,
    exits_section,
    faults_section,
    pages_section,
    refaults_section,
    registers_section,
    state_section,
    titled,
    vcpus_section,
)
from spetrace.report.profile_section import Section, share, without_empty
from spetrace.report.units import render_time
from spetrace.report.wording import count_of
from spetrace.tables.kvm_summary import KvmSummary, VmSummary
from spetrace.tables.run import Run

_LOST_EVENTS: Final = (
    "trace_lost_events", "trace_lost_unknown", "trace_overrun_events", "perf_lost_events",
)  # fmt: skip


@dataclass(frozen=True)
class KvmView:
    """A report's content in the order in which it is shown."""

    title: str
    cautions: tuple[str, ...]
    """What the recording lost and what was inferred, in a sentence each, before all else."""
    answer: tuple[str, ...]
    """Each VM in a few sentences."""
    losses: tuple[LossLine, ...]
    assumptions: tuple[AssumptionLine, ...]
    inputs: tuple[InputLine, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def view_kvm(summary: KvmSummary) -> KvmView:
    """All that a report on `summary` shows."""
    losses = loss_lines(Run(quality=summary.quality, session=summary.session))
    return KvmView(
        title=_title(summary),
        cautions=(*cautions(losses), *_on_pairs(summary, losses), *_on_inference(summary)),
        answer=tuple(_about(vm) for vm in summary.vms),
        losses=losses,
        assumptions=assumption_lines(summary.session),
        inputs=input_lines(summary.session),
        facts=facts(summary.session),
        sections=without_empty(
            [section for vm in summary.vms for section in _sections(summary, vm)]
        ),
    )


def vm_prefix(summary: KvmSummary, vm: VmSummary) -> str:
    """What tells a VM's tables from the others'; nothing where there is one VM."""
    return f"VM {vm.vm}: " if len(summary.vms) > 1 else ""


def _title(summary: KvmSummary) -> str:
    vcpus = sum(len(vm.vcpus) for vm in summary.vms)
    parts = [count_of(len(summary.vms), "VM"), count_of(vcpus, "vCPU")]
    if summary.span_ns:
        parts.append(render_time(summary.span_ns[1] - summary.span_ns[0]))
    return ", ".join(parts)


def _sections(summary: KvmSummary, vm: VmSummary) -> list[Section]:
    start = summary.span_ns[0] if summary.span_ns else 0
    sections = [exits_section(vm), vcpus_section(vm), faults_section(vm)]
    if vm.refaults:
        refaults = vm.refaults
        sections += [refaults_section(refaults), between_section(refaults), pages_section(refaults)]
    if vm.state:
        sections.append(state_section(vm.state))
    sections.append(registers_section(vm, start))
    checks = (check for check in summary.inference if check.vm == vm.vm)
    sections += [section for check in checks for section in inference_sections(check)]
    return titled(vm_prefix(summary, vm), without_empty(sections))


def _on_pairs(summary: KvmSummary, losses: Sequence[LossLine]) -> Iterator[str]:
    unpaired = sum(vcpu.unpaired for vm in summary.vms for vcpu in vm.vcpus)
    if unpaired:
        yield f"{count_of(unpaired, 'kvm_exit')} without a kvm_entry before the next kvm_exit."
    if unpaired or any(loss.counter in _LOST_EVENTS for loss in losses):
        yield "Events were lost: times that span such a loss are too long, and counts too low."


def _on_inference(summary: KvmSummary) -> Iterator[str]:
    inferred = [
        str(vm.vm) for vm in summary.vms if vm.state and vm.state.stage2_from == "tracepoints"
    ]
    if inferred:
        yield (
            f"Stage 2 of VM {', '.join(inferred)} was inferred from tracepoints: mapped pages and "
            "refaults are estimates."
        )


def _about(vm: VmSummary) -> str:
    exits = sum(each.exits for each in vm.exits)
    guest, host = (sum(getattr(c, name) for c in vm.vcpus) for name in ("guest_ns", "host_ns"))
    faults = sum(each.faults for each in vm.faults)
    emulated = sum(each.faults for each in vm.faults if each.outcome == "emulated")
    sentences = [
        f"VM {vm.vm}: {count_of(exits, 'exit')}; its vCPUs spent {render_time(guest)} in the guest "
        f"and {render_time(host)} ({share(host, guest + host)} %) in the host.",
        f"{count_of(faults, 'stage-2 fault')}, {emulated:,} of them emulated accesses (MMIO).",
    ]
    if vm.refaults:
        total = vm.refaults.total
        sentences.append(
            f"{count_of(total, 'refault')} ({share(total, faults)} % of the faults) on "
            f"{count_of(vm.refaults.pages, 'page')} that had been mapped before."
        )
    reads, writes = (sum(getattr(r, name) for r in vm.registers) for name in ("reads", "writes"))
    sentences.append(
        f"{reads:,} reads and {writes:,} writes of SPE registers were trapped."
        if vm.registers
        else "No access to an SPE register was trapped."
    )
    return " ".join(sentences)
