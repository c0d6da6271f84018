"""Which inferred mappings are read-only: what the rest of the trace shows of their permission.

A read fault maps writable where the host's page table lets the page be written, which
kvm_guest_fault does not tell. Two things that come in the trace do:

- A write fault on the page's permission (DFSC 0b0011LL), before an unmap that touches it or a
  write fault that maps it.
- That the fault is taken again because the vCPU's own thread unmapped the page while it handled
  it: NUMA balancing has moved the page, and its new entry lacks the write permission that the
  hinting entry had lost (migrate_misplaced_folio, mm/migrate.c; user_mem_abort,
  arch/arm64/kvm/mmu.c, Linux 6.12).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from spetrace.arm import esr
from spetrace.session.event_run import Addresses, Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun
from spetrace.session.notifiers import Notifiers
from spetrace.session.own_unmaps import are_after_own_unmap
from spetrace.session.page_sets import ADD, QUERY, REMOVE, replay_page_set

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MappedRanges:
    """What one VM's served faults map: pages [first, end) by the fault's row."""

    row: Integers
    first: Addresses
    end: Addresses

    @classmethod
    def joined(cls, parts: Sequence[MappedRanges]) -> MappedRanges:
        """Those of one part after the other."""
        none = cls(np.zeros(0, np.int64), *(np.zeros(0, np.uint64) for _ in range(2)))
        columns = ([getattr(p, f.name) for p in (none, *parts)] for f in fields(cls))
        return cls(*map(np.concatenate, columns))


def read_only_maps(
    faults: GuestFaults,
    own: Integers,
    maps: MappedRanges,
    unmaps: HostRun,
    notifiers: Notifiers,
    page_size: int,
) -> Mask:
    """Which of `maps` are read-only; `own` are the rows of all the VM's faults, `unmaps` its unmaps."""
    is_read = ~esr.is_write_fault(faults.esr[maps.row]).astype(bool)
    moved = np.zeros(len(faults), bool)
    moved[own] = are_after_own_unmap(faults, own, unmaps, notifiers, page_size)
    shown: Mask = is_read & (
        moved[maps.row] | _written_later(faults, maps, unmaps, is_read, page_size)
    )
    return shown


def _written_later(
    faults: GuestFaults, maps: MappedRanges, unmaps: HostRun, is_read: Mask, page_size: int
) -> Mask:
    """For which maps a write fault on permission comes in their range, before anything else that
    makes it writable or unmaps it.

    Told from the end: a set of pages holds those whose next event is such a fault.
    """
    order = np.concatenate((faults.events.order[maps.row], unmaps.order))
    page = unmaps.run.ipa // np.uint64(page_size)
    first = np.concatenate((maps.first, page))
    end = np.concatenate((maps.end, page + unmaps.run.pages))
    denied = esr.is_permission_fault(faults.esr[maps.row])
    steps = np.full(len(order), REMOVE, np.uint8)
    steps[: len(is_read)] = np.where(denied, ADD, np.where(is_read, QUERY, REMOVE))
    backwards = np.argsort(-order, kind="stable")
    ranges = (first[backwards], end[backwards])
    found = np.zeros(len(order), bool)
    found[backwards] = replay_page_set(steps[backwards], *ranges, *ranges)
    return found[: len(is_read)]
