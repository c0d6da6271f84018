"""Faults that are taken again after the vCPU's own thread unmapped their page in handling them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spetrace.session.event_run import Integers
from spetrace.session.guest_faults import GuestFaults
from spetrace.session.host_events import HostRun
from spetrace.session.notifiers import Notifiers
from spetrace.session.thread_order import NEVER, keys_of
from spetrace.session.track_kernel import NONE

Mask = npt.NDArray[np.bool_]


def are_after_own_unmap(
    faults: GuestFaults,
    own: Integers,
    unmaps: HostRun,
    notifiers: Notifiers,
    page_size: int,
) -> Mask:
    """Which of the faults `own` (rows of one VM's) come after such an attempt at the same page.

    `unmaps` are the VM's; `notifiers` tell their threads.
    """
    by_thread = np.lexsort((faults.events.order[own], faults.events.pid[own]))
    rows = own[by_thread]
    again = faults.is_retried[rows] & ~faults.is_denied_next[rows]
    fault, unmap = _unmaps_meanwhile(faults, rows, unmaps, notifiers)
    page = faults.ipa[rows][fault] // np.uint64(page_size)
    first = unmaps.run.ipa[unmap] // np.uint64(page_size)
    hit = (first <= page) & (page < first + unmaps.run.pages[unmap])
    unmapped = again & (np.bincount(fault[hit], minlength=len(rows)) > 0)
    so_far = np.concatenate(([0], np.cumsum(unmapped)))[: len(rows)]
    is_first = np.concatenate(([True], ~again[:-1]))[: len(rows)]
    attempt = np.maximum.accumulate(np.where(is_first, np.arange(len(rows)), 0))
    result = np.zeros(len(own), bool)
    result[by_thread] = so_far > so_far[attempt]
    return result


def _unmaps_meanwhile(
    faults: GuestFaults,
    rows: Integers,
    unmaps: HostRun,
    notifiers: Notifiers,
) -> tuple[Integers, Integers]:
    """Pairs (place in `rows`, row of `unmaps`): what each fault's thread unmaps from the fault to
    its next kvm_entry or fault. `rows` are thread by thread, each in order.
    """
    thread, order = faults.events.pid[rows], faults.events.order[rows]
    follows = np.concatenate((thread[1:] == thread[:-1], [False]))[: len(rows)]
    following = np.where(follows, np.roll(order, -1), NEVER)
    entry = faults.entry_order[rows]
    stop = np.minimum(np.where(entry == NONE, NEVER, entry), following)
    keys = keys_of(notifiers.thread_of(unmaps.order), unmaps.order)
    by_key = np.argsort(keys, kind="stable")
    low = np.searchsorted(keys[by_key], keys_of(thread, order))
    count = np.searchsorted(keys[by_key], keys_of(thread, stop)) - low
    fault = np.repeat(np.arange(len(rows)), count)
    nth = np.arange(len(fault)) - np.repeat(np.cumsum(count) - count, count)
    return fault, by_key[np.repeat(low, count) + nth]
