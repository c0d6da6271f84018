"""One table per tracepoint: its events with their source, VM and vCPU, then its own fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa

from spetrace.session.clocks import Alignment, HostClock
from spetrace.session.host_stretches import pids_of
from spetrace.session.kvm_exits import machine_column
from spetrace.session.machines import Machines
from spetrace.tables.recording import Recording
from spetrace.tables.tracepoint_frames import TracepointFrames, frames_of
from spetrace.tables.tracepoints import TRACEPOINTS


class TracepointTables(Mapping[str, pa.Table]):
    """The tables of all tracepoints by name, times on the session's clock; made when asked for.

    A table has the events of all inputs, input after input.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        machines: Machines,
        clocks: Mapping[int, HostClock],
        alignments: Mapping[int, Alignment],
    ) -> None:
        self._inputs = [frames_of(recording.tracepoints) for recording in recordings]
        self._machines = machines
        self._processes = {vm.pid: vm.vm for vm in machines.vms if vm.pid is not None}
        self._clocks = clocks
        self._alignments = alignments

    def __getitem__(self, name: str) -> pa.Table:
        parts = [
            self._placed(source, frames.select([name])[name]) for source, frames in self._of(name)
        ]
        if not parts:
            raise KeyError(name)
        return _table(pl.concat(parts, how="diagonal_relaxed"))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for frames in self._inputs for name in frames.counts))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def batches(self) -> Iterator[tuple[str, pa.Table]]:
        """All events in pieces of bounded size; those of one tracepoint make its table, in order."""
        for source, frames in enumerate(self._inputs):
            for name, frame in frames.batches():
                placed = self._placed(source, frame)
                if name in self._common_forms:
                    placed = pl.concat([self._common_forms[name], placed], how="diagonal_relaxed")
                yield name, _table(placed)

    @cached_property
    def _common_forms(self) -> dict[str, pl.DataFrame]:
        """The columns of tracepoints that several inputs have, as a frame without rows."""
        forms = {}
        for name in self:
            inputs = self._of(name)
            if len(inputs) > 1:
                parts = [self._placed(source, frames.empty(name)) for source, frames in inputs]
                forms[name] = pl.concat(parts, how="diagonal_relaxed")
        return forms

    def _of(self, name: str) -> list[tuple[int, TracepointFrames]]:
        return [(n, frames) for n, frames in enumerate(self._inputs) if name in frames.counts]

    def _placed(self, source: int, frame: pl.DataFrame) -> pl.DataFrame:
        own = [c for c in frame.columns if c not in (*TRACEPOINTS.names, "index", "tgid")]
        comm = frame["comm"]
        if comm.dtype != pl.Categorical:
            comm = comm.cast(pl.String).cast(pl.Categorical)
        vcpu, vm = self._owners(source, frame)
        columns = [
            pl.Series("source", np.full(len(frame), source, np.uint16)),
            self._times(source, frame["time_ns"]).alias("time_ns"),
            frame["cpu"],
            frame["pid"],
            comm,
            vcpu,
            vm,
        ]
        return pl.DataFrame([*columns, *(frame[name] for name in own)])

    def _owners(self, source: int, frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """The vCPU and the VM of each event; of the VM its process tells, too."""
        if source not in self._clocks:
            nothing = pl.Series([None], dtype=pl.UInt16).new_from_index(0, len(frame))
            return nothing.alias("vcpu"), nothing.alias("vm")
        vms, vcpus = self._machines.owners_of(pids_of(frame))
        vm = machine_column("vm", vms)
        if vm.null_count():
            process = frame["tgid"].replace_strict(
                self._processes, default=None, return_dtype=pl.UInt16
            )
            vm = vm.fill_null(process)
        return machine_column("vcpu", vcpus), vm

    def _times(self, source: int, times: pl.Series) -> pl.Series:
        if source in self._clocks:
            if not times.null_count():
                return pl.Series(self._clocks[source].to_ns(times.to_numpy()))
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
