"""The tables that recordings give beside the event log: for people and other pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pyarrow as pa

from spetrace.session.assembly import Assembly
from spetrace.session.kvm_exits import kvm_exit_batches
from spetrace.session.recording_tables import recording_tables
from spetrace.session.refaults import refault_batches
from spetrace.session.register_accesses import build_spe_register_accesses
from spetrace.session.stage2_faults import stage2_fault_batches
from spetrace.session.tracepoint_tables import TracepointTables
from spetrace.session.vm_state import vm_state_batches
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.tables.table import Table

Streams = Mapping[Table, Callable[[], Iterator[pa.RecordBatch]]]


class DerivedTables(Mapping[str, pa.Table]):
    """Tables by name: `made` ones, and `streams` that are made anew each time they are asked for."""

    def __init__(self, made: Mapping[str, pa.Table], streams: Streams) -> None:
        self._made = made
        self._streams = {table.name: (table, make) for table, make in streams.items()}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._streams:
            return self._made[name]
        table, make = self._streams[name]
        return pa.Table.from_batches(make(), table.schema)

    def __iter__(self) -> Iterator[str]:
        yield from (*self._made, *self._streams)

    def __len__(self) -> int:
        return len(self._made) + len(self._streams)

    def __contains__(self, name: object) -> bool:
        return name in self._made or name in self._streams

    def batches_of(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of one table in order."""
        if name in self._streams:
            return self._streams[name][1]()
        return iter(self._made[name].to_batches())


def derive_tables(assembly: Assembly) -> DerivedTables:
    """Tables aux_records, recording_gaps, mappings, threads, kvm_exits, stage2_faults,
    spe_register_accesses, vm_state and refaults: those that the recordings give.
    """
    tables = recording_tables(
        assembly.recordings, assembly.alignments, assembly.choices, assembly.surveys
    )
    streams = {**kvm_streams(assembly), **memory_streams(assembly)}
    return DerivedTables(tables | register_tables(assembly), streams)


def kvm_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Tables kvm_exits and stage2_faults; none where no vCPU thread was recorded."""
    return dict(DerivedTables({}, kvm_streams(assembly)))


def kvm_streams(assembly: Assembly) -> Streams:
    """The same while they are made."""
    host, machines = assembly.host, assembly.machines
    if not machines.have_threads:
        return {}
    return {
        KVM_EXITS: partial(kvm_exit_batches, host, machines, assembly.faults),
        STAGE2_FAULTS: partial(stage2_fault_batches, assembly.faults),
    }


def memory_streams(assembly: Assembly) -> Streams:
    """Tables vm_state and refaults while they are made; none where no vCPU thread was recorded."""
    if not assembly.machines.have_threads:
        return {}
    host, stage2, page_size = assembly.host, assembly.stage2, assembly.choices.page_size
    return {
        VM_STATE: partial(vm_state_batches, host, stage2, assembly.rams, page_size),
        REFAULTS: partial(refault_batches, host, stage2, assembly.faults, page_size),
    }


def register_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Table spe_register_accesses; none where no vCPU thread was recorded."""
    if not assembly.machines.have_threads:
        return {}
    accesses = build_spe_register_accesses(assembly.host, assembly.machines)
    return {SPE_REGISTER_ACCESSES.name: accesses}


def tracepoint_tables(assembly: Assembly) -> TracepointTables:
    """Per tracepoint its table, with the VM and vCPU of each event's thread."""
    return TracepointTables(
        assembly.recordings, assembly.machines, assembly.clocks, assembly.alignments
    )
