"""Where one vCPU's time went, summed up while its exits go by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.tables.kvm_summary import VcpuTime

Integers = npt.NDArray[np.int64]


class VcpuExits(NamedTuple):
    """One vCPU's exits: arrays of one length."""

    exit_ns: Integers
    entry_ns: Integers
    is_paired: npt.NDArray[np.bool_]
    """Whether an entry follows; without one `entry_ns` says nothing."""

    @classmethod
    def of(cls, rows: pl.DataFrame) -> VcpuExits:
        """Those of table kvm_exits."""
        entry = rows["entry_ns"]
        return cls(rows["exit_ns"].to_numpy(), entry.fill_null(0).to_numpy(), ~_nulls(entry))

    def then(self, others: VcpuExits) -> VcpuExits:
        """These and others after them."""
        return VcpuExits(
            np.append(self.exit_ns, others.exit_ns),
            np.append(self.entry_ns, others.entry_ns),
            np.append(self.is_paired, others.is_paired),
        )

    def part(self, select: slice | Integers) -> VcpuExits:
        """Some of them."""
        return VcpuExits(self.exit_ns[select], self.entry_ns[select], self.is_paired[select])

    def by_time(self) -> VcpuExits:
        """The same, by the time of the exit."""
        return self.part(np.argsort(self.exit_ns, kind="stable"))


NO_EXITS = VcpuExits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))


class VcpuClock:
    """Takes one vCPU's exits."""

    def __init__(self) -> None:
        self.is_in_order = True
        """Whether no exit so far was before the one that came before it: else nothing is summed up."""
        self._last = NO_EXITS
        self._exits = self._unpaired = 0
        self._guest_ns = self._host_ns = self._unknown_ns = 0

    def add(self, exits: VcpuExits) -> None:
        """Take the next exits, at least one."""
        self._exits += len(exits.exit_ns)
        self._host_ns += int((exits.entry_ns - exits.exit_ns)[exits.is_paired].sum())
        exits = self._last.then(exits)
        self._last = exits.part(slice(-1, None))
        following, before = exits.exit_ns[1:], exits.part(slice(-1))
        self.is_in_order = self.is_in_order and bool((following >= before.exit_ns).all())
        paired = before.is_paired
        self._guest_ns += int((following - before.entry_ns)[paired].sum())
        self._unknown_ns += int((following - before.exit_ns)[~paired].sum())
        self._unpaired += len(paired) - int(paired.sum())

    def time(self, vcpu: int | None) -> VcpuTime:
        """All of it, as that of a vCPU of this number."""
        spent = (self._guest_ns, self._host_ns, self._unknown_ns)
        return VcpuTime(vcpu, self._exits, self._unpaired, *spent)


def _nulls(column: pl.Series) -> npt.NDArray[np.bool_]:
    if not column.null_count():
        return np.zeros(len(column), np.bool_)
    return column.is_null().to_numpy()
