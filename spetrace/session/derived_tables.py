"""The tables that recordings give beside the event log: for people and other pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from spetrace.session.assembly import Assembly
from spetrace.session.clocks import Alignment
from spetrace.session.guest_faults import guest_faults
from spetrace.session.kvm_exits import build_kvm_exits
from spetrace.session.stage2_faults import build_stage2_faults
from spetrace.session.tracepoint_tables import TracepointTables
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.recording import Recording
from spetrace.tables.stage2_faults import STAGE2_FAULTS


def derive_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Tables aux_records, kvm_exits and stage2_faults, those that the recordings give."""
    tables = {}
    aux = _aux_records(assembly.recordings, assembly.alignments)
    if aux is not None:
        tables[AUX_RECORDS.name] = aux
    if assembly.machines.have_threads:
        host, machines = assembly.host, assembly.machines
        faults = guest_faults(host, machines, assembly.choices.page_size)
        tables[KVM_EXITS.name] = build_kvm_exits(host, machines, faults)
        tables[STAGE2_FAULTS.name] = build_stage2_faults(host, faults)
    return tables


def tracepoint_tables(assembly: Assembly) -> dict[str, pa.Table]:
    """Per tracepoint its table, with the VM and vCPU of each event's thread."""
    builder = TracepointTables(assembly.machines, assembly.clocks, assembly.alignments)
    return builder.build(assembly.recordings)


def _aux_records(
    recordings: Sequence[Recording], alignments: Mapping[int, Alignment]
) -> pa.Table | None:
    """PERF_RECORD_AUX of all inputs, their times on the session's clock."""
    parts = []
    for source, recording in enumerate(recordings):
        if recording.spe is not None:
            offset = alignments[source].offset_ns if source in alignments else 0
            frame = recording.spe.aux_records.with_columns(
                pl.lit(source, pl.UInt16).alias("source"), pl.col("time_ns") + offset
            )
            parts.append(AUX_RECORDS.from_polars(frame))
    return pa.concat_tables(parts) if parts else None
