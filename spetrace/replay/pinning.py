"""The steps that strategies share: walk the guest's stage 1, pin a buffer, release pins."""

from __future__ import annotations

from typing import NamedTuple

from spetrace.replay.stage1 import Walk
from spetrace.replay.vcpu import Vcpu


class PinResult(NamedTuple):
    """What pinning a buffer came to."""

    success: bool
    """Whether the page that holds the pointer is pinned now."""
    complete: bool
    """Whether no page failed to resolve."""
    cost_ns: int


def walk(vcpu: Vcpu, first: int, end: int) -> Walk:
    """Walk the VA pages [first, end) in software, and count it."""
    found = vcpu.vm.stage1.walk(first, end)
    vcpu.vm.counters.stage1_walks += found.count
    vcpu.vm.counters.stage1_walk_failures += found.failures
    return found


def oversize(vcpu: Vcpu) -> bool:
    """Whether the buffer is larger than KVM lets a guest have pinned; counted if so."""
    if vcpu.buffer_bytes <= vcpu.vm.parameters.max_buffer_bytes:
        return False
    vcpu.vm.counters.oversize_buffers += 1
    return True


def release_all(vcpu: Vcpu) -> int:
    """Release all pins of a vCPU; the cost in ns."""
    cost = vcpu.vm.release(vcpu.pinned, vcpu.pin_bit)
    vcpu.pinned = []
    return cost


def pin_buffer(vcpu: Vcpu) -> PinResult:
    """Pin [pointer, LIMIT) and the table pages on the way, in place of what the vCPU had pinned."""
    cost = release_all(vcpu)
    vcpu.walked, vcpu.walked_changed = (0, 0), False
    if oversize(vcpu):
        return PinResult(False, True, cost)
    vcpu.walked = vcpu.buffer_pages
    found = walk(vcpu, *vcpu.walked)
    cost += found.count * vcpu.vm.parameters.costs.walk_page_ns
    complete = found.failures == 0
    if not found.count:
        return PinResult(False, complete, cost)
    if not vcpu.vm.fits_memlock(vcpu.vm.stage2.unpinned(found.pages) * vcpu.vm.page_size):
        return PinResult(False, complete, cost)
    cost += vcpu.vm.pin(found.pages, vcpu.pin_bit)
    vcpu.pinned = found.pages
    if found.first_resolved:
        vcpu.epoch_pinned = True
    return PinResult(found.first_resolved, complete, cost)
