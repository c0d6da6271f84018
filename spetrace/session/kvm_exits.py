"""Table kvm_exits: each kvm_exit with the kvm_entry that follows on its thread."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.arm.esr import EXIT_CLASS_NAMES, KVM_EXIT_TRAP
from spetrace.session.event_run import Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_trace import ENTRY, EXIT, HostTrace
from spetrace.session.machines import Machines
from spetrace.session.thread_order import NEVER, NONE, ThreadOrder, taken, thread_keys
from spetrace.tables.kvm_exits import KVM_EXITS

_NAMES: Final = [EXIT_CLASS_NAMES.get(code, f"{code:#x}") for code in range(64)]


def build_kvm_exits(host: HostTrace, machines: Machines, faults: GuestFaults) -> pa.Table:
    """One row per kvm_exit, in order; `guest_fault` counts in `faults`.

    An exit has no entry where the thread's next event of the two is another exit (lost events), and
    no class where its `ret` is no trap: the kernel leaves the class 0 then.
    """
    exits, entries = host[EXIT], host[ENTRY]
    entry_row = paired_entries(host)
    entry_ns = _known(taken(entries.time_ns, entry_row, 0), entry_row != NONE)
    ret = _field(exits.frame, "ret", pl.Int32)
    class_ = _field(exits.frame, "esr_ec", pl.UInt8).set(ret.ne_missing(KVM_EXIT_TRAP), None)
    columns = {
        "source": exits.frame["source"],
        "vm": machine_column("vm", machines.vm_of(exits.pid)),
        "vcpu": machine_column("vcpu", machines.vcpu_of(exits.pid)),
        "exit_ns": exits.time_ns,
        "entry_ns": entry_ns,
        "handled_ns": entry_ns - exits.frame["time_ns"],
        "ret": ret,
        "exit_class": class_,
        "exit_class_name": pa.DictionaryArray.from_arrays(
            class_.cast(pl.Int32).set(class_ >= len(_NAMES), None).to_arrow(), pa.array(_NAMES)
        ),
        "pc": _field(exits.frame, "vcpu_pc", pl.UInt64),
        "guest_fault": _fault_rows(faults, len(exits)),
    }
    return KVM_EXITS.from_columns(columns, len(exits))


def paired_entries(host: HostTrace) -> Integers:
    """Per kvm_exit the row of the kvm_entry that ends it, on whatever CPU; NONE where the thread's
    next event of the two is another exit, or there is none.
    """
    exits, entries = host[EXIT], host[ENTRY]
    keys = thread_keys(exits)
    entry_row = ThreadOrder(entries).next_of(keys)
    next_exit = taken(exits.order, ThreadOrder(exits).next_of(keys), NEVER)
    entry_row[taken(entries.order, entry_row, NEVER) > next_exit] = NONE
    return entry_row


def machine_column(name: str, numbers: np.ndarray) -> pl.Series:
    """VM or vCPU numbers as a column; -1 is null."""
    column = pl.Series(name, numbers, pl.Int32)
    return column.set(column < 0, None).cast(pl.UInt16)


def _field(frame: pl.DataFrame, name: str, type_: type[pl.DataType]) -> pl.Series:
    """A tracepoint's field as a column of the table; null where it is absent or does not fit."""
    if name not in frame.columns:
        return pl.Series(name, [None] * len(frame), type_)
    return frame[name].cast(type_, strict=False)


def _fault_rows(faults: GuestFaults, exits: int) -> pl.Series:
    """Per exit the first fault that came before the next kvm_entry."""
    row: Integers = np.full(exits, NONE)
    known = np.flatnonzero(faults.exit_row != NONE)[::-1]
    row[faults.exit_row[known]] = known
    return _known(row, row != NONE).cast(pl.UInt64)


def _known(values: Integers, known: npt.NDArray[np.bool_]) -> pl.Series:
    """Values as a column, null where they are not known."""
    return pl.Series(values).set(pl.Series(~known), None)
