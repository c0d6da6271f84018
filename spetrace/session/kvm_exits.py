"""Table kvm_exits: each kvm_exit with the kvm_entry that follows on its thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.arm.esr import EXIT_CLASS_NAMES, KVM_EXIT_TRAP
from spetrace.session.event_run import Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_names import EXIT
from spetrace.session.host_stretches import pids_of
from spetrace.session.host_trace import HostTrace
from spetrace.session.machines import Machines
from spetrace.session.vcpu_tracks import ExitTracks
from spetrace.spooled import let_go
from spetrace.tables.kvm_exits import KVM_EXITS

_NAMES: Final = [EXIT_CLASS_NAMES.get(code, f"{code:#x}") for code in range(64)]


def kvm_exit_batches(
    host: HostTrace, machines: Machines, faults: GuestFaults
) -> Iterator[pa.RecordBatch]:
    """One row per kvm_exit, in order; `guest_fault` counts in `faults`.

    An exit has no entry where the thread's next event of the two is another exit (lost events), and
    no class where its `ret` is no trap: the kernel leaves the class 0 then. The exits are decoded
    once more while the batches are taken.
    """
    exits, start = host.tracks.exits, 0
    for stretch in host.stretches([EXIT]):
        if EXIT in stretch:
            end = start + len(stretch[EXIT])
            tracks = exits.rows(slice(start, end))
            fault = _first_faults(tracks.first_fault, end - start, faults)
            yield _batch(stretch[EXIT], tracks, machines, fault)
            let_go(*exits)
            start = end


def _batch(
    exits: pl.DataFrame, tracks: ExitTracks, machines: Machines, faults: pl.Series
) -> pa.RecordBatch:
    entry_ns = _known(tracks.entry_ns, tracks.is_paired)
    ret = _field(exits, "ret", pl.Int32)
    class_ = _field(exits, "esr_ec", pl.UInt8).set(ret.ne_missing(KVM_EXIT_TRAP), None)
    pid = pids_of(exits)
    columns = {
        "source": exits["source"],
        "vm": machine_column("vm", machines.vm_of(pid)),
        "vcpu": machine_column("vcpu", machines.vcpu_of(pid)),
        "exit_ns": exits["time_ns"],
        "entry_ns": entry_ns,
        "handled_ns": entry_ns - exits["time_ns"],
        "ret": ret,
        "exit_class": class_,
        "exit_class_name": pa.DictionaryArray.from_arrays(
            class_.cast(pl.Int32).set(class_ >= len(_NAMES), None).to_arrow(), pa.array(_NAMES)
        ),
        "pc": _field(exits, "vcpu_pc", pl.UInt64),
        "guest_fault": faults,
    }
    table = KVM_EXITS.from_columns(columns, len(exits)).combine_chunks()
    return table.to_batches()[0]


def machine_column(name: str, numbers: np.ndarray) -> pl.Series:
    """VM or vCPU numbers as a column; -1 is null."""
    column = pl.Series(name, numbers.astype(np.uint16))
    return column.set(pl.Series(numbers < 0), None) if (numbers < 0).any() else column


def _field(frame: pl.DataFrame, name: str, type_: type[pl.DataType]) -> pl.Series:
    """A tracepoint's field as a column of the table; null where it is absent or does not fit."""
    if name not in frame.columns:
        return pl.Series(name, [None] * len(frame), type_)
    return frame[name].cast(type_, strict=False)


def _first_faults(first: Integers, count: int, faults: GuestFaults) -> pl.Series:
    """Per exit the row in `faults` of its first fault, which `first` has among all threads' faults;
    null for exits without.
    """
    if not len(faults):
        return pl.Series([None] * count, dtype=pl.UInt64)
    row = np.searchsorted(faults.track, first).clip(max=len(faults) - 1)
    return _known(row, faults.track[row] == first).cast(pl.UInt64)


def _known(values: Integers, known: npt.NDArray[np.bool_]) -> pl.Series:
    """Values as a column, null where they are not known."""
    return pl.Series(values).set(pl.Series(~known), None)
