"""The tables that recordings give beside the event log: for people and other pipelines."""

from __future__ import annotations

import pyarrow as pa

from spetrace.session.assembly import Assembly
from spetrace.session.guest_faults import guest_faults
from spetrace.session.kvm_exits import build_kvm_exits
from spetrace.session.recording_tables import recording_tables
from spetrace.session.refaults import build_refaults
from spetrace.session.register_accesses import build_spe_register_accesses
from spetrace.session.stage2_faults import build_stage2_faults
from spetrace.session.tracepoint_tables import TracepointTables
from spetrace.session.vm_state import build_vm_state
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS


def derive_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Tables aux_records, recording_gaps, mappings, threads, kvm_exits, stage2_faults,
    spe_register_accesses, vm_state and refaults: those that the recordings give.
    """
    tables = recording_tables(
        assembly.recordings, assembly.alignments, assembly.choices, assembly.surveys
    )
    return tables | kvm_tables(assembly) | memory_tables(assembly)


def kvm_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Tables kvm_exits and stage2_faults; none where no vCPU thread was recorded."""
    host, machines = assembly.host, assembly.machines
    if not machines.have_threads:
        return {}
    faults = guest_faults(host, machines, assembly.choices.page_size)
    return {
        KVM_EXITS.name: build_kvm_exits(host, machines, faults),
        STAGE2_FAULTS.name: build_stage2_faults(host, faults),
    }


def memory_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Tables spe_register_accesses, vm_state and refaults; none where no vCPU thread was recorded."""
    host, machines, page_size = assembly.host, assembly.machines, assembly.choices.page_size
    if not machines.have_threads:
        return {}
    stage2, faults = assembly.stage2, guest_faults(host, machines, page_size)
    return {
        SPE_REGISTER_ACCESSES.name: build_spe_register_accesses(host, machines),
        VM_STATE.name: build_vm_state(host, stage2, assembly.rams, page_size),
        REFAULTS.name: build_refaults(stage2, faults, page_size),
    }


def tracepoint_tables(assembly: Assembly) -> TracepointTables:
    """Per tracepoint its table, with the VM and vCPU of each event's thread."""
    return TracepointTables(
        assembly.recordings, assembly.machines, assembly.clocks, assembly.alignments
    )
