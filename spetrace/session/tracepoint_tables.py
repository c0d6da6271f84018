"""One table per tracepoint: its events with their source, VM and vCPU, then its own fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from spetrace.session.clocks import Alignment, HostClock
from spetrace.session.kvm_exits import machine_column
from spetrace.session.machines import Machines
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoints import TRACEPOINTS


class TracepointTables:
    """Makes the tables of tracepoints, times on the session's clock."""

    def __init__(
        self,
        machines: Machines,
        clocks: Mapping[int, HostClock],
        alignments: Mapping[int, Alignment],
    ) -> None:
        self._machines = machines
        self._processes = {vm.pid: vm.vm for vm in machines.vms if vm.pid is not None}
        self._clocks = clocks
        self._alignments = alignments

    def build(self, recordings: Sequence[Recording]) -> dict[str, pa.Table]:
        """Per tracepoint the events of all inputs, input after input."""
        parts: dict[str, list[pl.DataFrame]] = {}
        for source, recording in enumerate(recordings):
            for name, frame in recording.tracepoints.items():
                parts.setdefault(name, []).append(self._placed(source, frame))
        return {
            name: _table(pl.concat(frames, how="diagonal_relaxed"))
            for name, frames in parts.items()
        }

    def _placed(self, source: int, frame: pl.DataFrame) -> pl.DataFrame:
        own = [c for c in frame.columns if c not in (*TRACEPOINTS.names, "index", "tgid")]
        is_host = source in self._clocks
        pid = frame["pid"].fill_null(-1).to_numpy()
        vm = machine_column("vm", self._machines.vm_of(pid))
        process = frame["tgid"].replace_strict(
            self._processes, default=None, return_dtype=pl.UInt16
        )
        vcpu = machine_column("vcpu", self._machines.vcpu_of(pid))
        return frame.select(
            pl.lit(source, pl.UInt16).alias("source"),
            pl.Series("time_ns", self._times(source, frame["time_ns"])),
            "cpu",
            "pid",
            pl.col("comm").cast(pl.String).cast(pl.Categorical),
            vcpu if is_host else pl.lit(None, pl.UInt16).alias("vcpu"),
            vm.fill_null(process) if is_host else pl.lit(None, pl.UInt16).alias("vm"),
            *own,
        )

    def _times(self, source: int, times: pl.Series) -> pl.Series:
        if source in self._clocks:
            ns = self._clocks[source].to_ns(times.fill_null(0).to_numpy())
            return pl.Series(ns).set(times.is_null(), None)
        offset = self._alignments.get(source)
        return times + (offset.offset_ns if offset else 0)


def _table(frame: pl.DataFrame) -> pa.Table:
    """The frame with the declared columns in the declared types, its own fields as they are."""
    common = TRACEPOINTS.from_polars(frame)
    own = [name for name in frame.columns if name not in TRACEPOINTS.names]
    table = common
    for name, column in zip(own, frame.select(own).to_arrow().columns, strict=True):
        table = table.append_column(name, column)
    return table
