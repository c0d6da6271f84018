"""Table stage2_faults: each kvm_guest_fault with its syndrome decoded and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.arm import esr
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.kvm_exits import machine_column
from spetrace.tables.stage2_faults import STAGE2_FAULTS


def stage2_fault_batches(faults: GuestFaults) -> Iterator[pa.RecordBatch]:
    """One row per fault of `faults`, in order."""
    for part in faults.parts():
        yield from _table(part).combine_chunks().to_batches()


def _table(faults: GuestFaults) -> pa.Table:
    events = faults.events
    status = esr.fault_status(faults.esr).astype(np.uint8)
    level = pl.Series(esr.fault_level(status))
    columns = {
        "source": events.source,
        "vm": machine_column("vm", faults.vm),
        "vcpu": machine_column("vcpu", faults.vcpu),
        "time_ns": events.time_ns,
        "pc": _known(events.unsigned("vcpu_pc"), events.knows("vcpu_pc")),
        "esr": faults.esr,
        "va": _known(events.unsigned("hxfar"), events.knows("hxfar")),
        "ipa": faults.ipa,
        "fault_status": status,
        "kind": pa.DictionaryArray.from_arrays(
            esr.fault_kind(status).astype(np.int32), pa.array(esr.FAULT_KINDS)
        ),
        "level": level.set(level == esr.NO_LEVEL, None),
        "is_write": esr.is_write_fault(faults.esr),
        "on_stage1_walk": esr.on_stage1_walk(faults.esr),
        "is_fetch": esr.is_fetch(faults.esr),
        "mmio": faults.is_mmio | faults.is_retried,
        "handled_ns": _known(faults.handled_ns, faults.is_handled),
        "is_emulated": faults.is_mmio,
        "is_cache_maintenance": esr.is_cache_maintenance(faults.esr),
    }
    return STAGE2_FAULTS.from_columns(columns, len(faults))


def _known(values: np.ndarray, known: np.ndarray) -> pa.Array:
    return pa.array(values, mask=~known)
