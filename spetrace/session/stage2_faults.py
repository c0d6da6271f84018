"""Table stage2_faults: each kvm_guest_fault with its syndrome decoded and what came of it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.arm import esr
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_trace import ENTRY, EXIT, HostTrace
from spetrace.session.kvm_exits import machine_column, paired_entries
from spetrace.session.thread_order import NONE, taken
from spetrace.tables.stage2_faults import STAGE2_FAULTS


def build_stage2_faults(host: HostTrace, faults: GuestFaults) -> pa.Table:
    """One row per fault of `faults`, in order."""
    events = faults.events
    status = esr.fault_status(faults.esr).astype(np.uint8)
    level = pl.Series(esr.fault_level(status))
    columns = {
        "source": events.frame["source"],
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
        "handled_ns": _handled_ns(host, faults),
        "is_emulated": faults.is_mmio,
        "is_cache_maintenance": esr.is_cache_maintenance(faults.esr),
    }
    return STAGE2_FAULTS.from_columns(columns, len(faults))


def _known(values: np.ndarray, known: np.ndarray) -> pa.Array:
    return pa.array(values, mask=~known)


def _handled_ns(host: HostTrace, faults: GuestFaults) -> pa.Array:
    """From the kvm_exit before the fault to the kvm_entry after it; null where these are no pair."""
    row = taken(paired_entries(host), faults.exit_row, NONE)
    spent = taken(host[ENTRY].time_ns, row, 0) - taken(host[EXIT].time_ns, faults.exit_row, 0)
    return pa.array(spent, mask=row == NONE)
