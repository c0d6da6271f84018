"""Which faults above the last level map pages: a level-3 fault of the VM comes later in their range.

Later, that is before an unmap that touches the range. Told from the end: a set of ranges holds those
whose next event is a level-3 fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_run import Addresses, Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun
from spetrace.session.notifiers import VmUnmaps
from spetrace.session.ordered_rows import side_by_side
from spetrace.session.page_bounds import PageBounds
from spetrace.session.page_sets import ADD, QUERY, REMOVE, PageSet
from spetrace.session.stage2_probes import last_level_table_bytes
from spetrace.session.vm_rows import places_of
from spetrace.spooled import let_go, room

Mask = npt.NDArray[np.bool_]
LAST_LEVEL: Final = 3
_NO: Final = np.bool_(False)


@dataclass(frozen=True)
class _Steps:
    """What happens to ranges [first, end), counted in last-level tables, at places in the trace."""

    order: Integers
    kind: npt.NDArray[np.uint8]
    first: Addresses
    end: Addresses
    row: Integers
    """Of a fault, that in the VMs' faults; else -1."""

    def part(self, select: Any) -> _Steps:
        """Some of them."""
        return _Steps(*(getattr(self, f.name)[select] for f in fields(self)))


def paged_blocks(
    faults: GuestFaults,
    vm: int,
    unmaps: VmUnmaps,
    asks: Callable[[GuestFaults], Mask],
    page_size: int,
) -> Mask | None:
    """By row of `faults` whether one of those of the VM that `asks` selects maps pages; None where
    none of them asks.
    """
    table = np.uint64(last_level_table_bytes(page_size))
    bounds, is_asked = PageBounds(), False
    for steps in _of_faults(faults, vm, asks, table):
        is_asked = is_asked or bool((steps.kind == QUERY).any())
        bounds.add(steps.first, steps.end)
    if not is_asked:
        return None
    for part in unmaps.parts():
        steps = _of_unmaps(part, page_size, table)
        bounds.add(steps.first, steps.end)
    tables = PageSet(bounds.finish())
    (found,) = room(len(faults), _NO)
    stretches = side_by_side(
        _of_faults(faults, vm, asks, table, backwards=True),
        (_of_unmaps(part, page_size, table) for part in unmaps.parts(backwards=True)),
        np.negative,
    )
    for these, others in stretches:
        _answer(tables, [*these, *others], found)
    return found


def _answer(tables: PageSet, parts: list[_Steps], found: Mask) -> None:
    both = _Steps(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(_Steps)))
    both = both.part(np.argsort(-both.order, kind="stable"))
    is_paged = tables.replay(both.kind, both.first, both.end, both.first, both.end)
    found[both.row[is_paged]] = True
    let_go(found)


def _of_faults(
    faults: GuestFaults,
    vm: int,
    asks: Callable[[GuestFaults], Mask],
    table: np.uint64,
    *,
    backwards: bool = False,
) -> Iterator[_Steps]:
    """Those that ask, and those of the last level."""
    for rows in faults.by_vm.of(vm, backwards=backwards):
        own = faults.part(rows)
        kind = np.where(asks(own), QUERY, ADD).astype(np.uint8)
        counts = (kind == QUERY) | (esr.fault_level(own.esr) == LAST_LEVEL)
        first = own.ipa[counts] // table
        order, row = own.events.order[counts], places_of(rows)[counts]
        steps = _Steps(order, kind[counts], first, first + np.uint64(1), row)
        yield steps.part(slice(None, None, -1)) if backwards else steps
        faults.let_go()


def _of_unmaps(unmaps: HostRun, page_size: int, table: np.uint64) -> _Steps:
    count = len(unmaps.order)
    ipa, pages = unmaps.run.ipa, unmaps.run.pages
    last_byte = ipa + (pages * np.uint64(page_size) - np.uint64(1))
    kind, row = np.full(count, REMOVE, np.uint8), np.full(count, -1)
    return _Steps(unmaps.order, kind, ipa // table, last_byte // table + np.uint64(1), row)
