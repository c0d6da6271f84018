"""A run of events in compact columns: what each maker of events returns and `merge` puts together.

One number (`value`) serves every kind: what it holds is decided by the kind, as in `PAYLOAD`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.tables.events import CAUSES, KINDS, REGISTERS

Integers = npt.NDArray[np.int64]
Addresses = npt.NDArray[np.uint64]

NO_ROW: Final = 0xFFFF_FFFF_FFFF_FFFF
REGISTER_SHIFT: Final = 4
_HALF: Final = 1 << 63
_LIMITS: Final = (-_HALF, _HALF - 1)

ERET, EXCEPTION, SPE_RECORD, BUFFER_FULL = (
    KINDS.index(kind) for kind in ("eret", "exception", "spe_record", "buffer_full")
)
STAGE1_MAP, STAGE2_MAP, STAGE2_WRPROTECT, STAGE2_UNMAP = (
    KINDS.index(kind) for kind in ("stage1_map", "stage2_map", "stage2_wrprotect", "stage2_unmap")
)
PMBPTR_EL1, PMBLIMITR_EL1, PMSCR_EL1, PMBSR_EL1 = (
    KINDS.index("sysreg_write") | REGISTERS.index(f"{name}_EL1") << REGISTER_SHIFT
    for name in ("PMBPTR", "PMBLIMITR", "PMSCR", "PMBSR")
)
"""Codes of events: the kind's place in KINDS, for a register write with the register above it."""

UNKNOWN_CAUSE: Final = CAUSES.index("unknown")

PAYLOAD: Final = {
    "value": ("sysreg_write",),
    "to_el": ("eret",),
    "bytes": ("spe_record",),
    "writable": ("stage2_map",),
    "cause": ("stage2_unmap",),
}
"""Per column of table events the kinds whose `value` it is."""


@dataclass(frozen=True)
class EventRun:
    """Events as columns of one length, in the order in which they were made.

    Columns that are the same in every row are broadcast and take no memory. `row` is NO_ROW where
    the table is null.
    """

    ts: Integers
    vm: npt.NDArray[np.uint16]
    vcpu: npt.NDArray[np.uint16]
    code: npt.NDArray[np.uint8]
    value: Addresses
    va: Addresses
    ipa: Addresses
    pages: Addresses
    row: Addresses

    def __len__(self) -> int:
        return len(self.ts)

    def part(self, select: Any) -> EventRun:
        """The events that a slice or an index array selects."""
        return EventRun(*(_selected(getattr(self, f.name), select) for f in fields(self)))

    def shifted(self, offset_ns: int) -> EventRun:
        """The same events, later as `shifted_ns` says."""
        offset = _signed(offset_ns)
        if not offset:
            return self
        low, high = shifted_ns(_LIMITS[0], -offset), shifted_ns(_LIMITS[1], -offset)
        return replace(self, ts=self.ts.clip(low, high) + offset)

    def of(self, vm: int, vcpu: int) -> EventRun:
        """The same events as those of one vCPU."""
        shape = self.ts.shape
        return replace(
            self,
            vm=np.broadcast_to(np.uint16(vm), shape),
            vcpu=np.broadcast_to(np.uint16(vcpu), shape),
        )

    def in_time_order(self) -> EventRun:
        """The same events, stably sorted by time."""
        if len(self) < 2 or bool((self.ts[1:] >= self.ts[:-1]).all()):
            return self
        return self.part(np.argsort(self.ts, kind="stable"))


def shifted_ns(time_ns: int, offset_ns: int) -> int:
    """A time, `offset_ns` (modulo 2^64) later; no further than int64 goes."""
    low, high = _LIMITS
    return min(max(time_ns + _signed(offset_ns), low), high)


def _signed(offset_ns: int) -> int:
    return (offset_ns + _HALF) % (2 * _HALF) - _HALF


def event_run(
    ts: Any,
    code: Any,
    *,
    vm: Any = 0,
    vcpu: Any = 0,
    value: Any = 0,
    va: Any = 0,
    ipa: Any = 0,
    pages: Any = 0,
    row: Any = NO_ROW,
) -> EventRun:
    """A run from an array of times and, for the other columns, arrays or one value for all."""
    times = np.asarray(ts, np.int64)
    return EventRun(
        times,
        *(
            np.broadcast_to(np.asarray(column, dtype), times.shape)
            for column, dtype in (
                (vm, np.uint16),
                (vcpu, np.uint16),
                (code, np.uint8),
                (value, np.uint64),
                (va, np.uint64),
                (ipa, np.uint64),
                (pages, np.uint64),
                (row, np.uint64),
            )
        ),
    )


def concatenated(runs: list[EventRun]) -> EventRun:
    """One run after the other."""
    if len(runs) == 1:
        return runs[0]
    if not runs:
        return event_run([], 0)
    return EventRun(*(_joined([getattr(r, f.name) for r in runs]) for f in fields(EventRun)))


def is_constant(column: npt.NDArray[Any]) -> bool:
    """Whether a column is one value, broadcast."""
    return len(column) > 0 and column.strides == (0,)


def _selected(column: npt.NDArray[Any], select: Any) -> npt.NDArray[Any]:
    if isinstance(select, slice) or not is_constant(column):
        selected: npt.NDArray[Any] = column[select]
        return selected
    count = int(select.sum()) if select.dtype == np.bool_ else len(select)
    return np.broadcast_to(column[0], (count,))


def _joined(columns: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    filled = [column for column in columns if len(column)]
    if all(map(is_constant, filled)) and len({column[0] for column in filled}) == 1:
        return np.broadcast_to(filled[0][0], (sum(map(len, filled)),))
    return np.concatenate(columns)
