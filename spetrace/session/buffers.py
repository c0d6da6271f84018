"""The profiling buffers: where they lie in the guest's VA space and in its RAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spetrace.errors import UsageError
from spetrace.session.event_run import (
    STAGE1_MAP,
    STAGE2_MAP,
    Addresses,
    EventRun,
    concatenated,
    event_run,
)
from spetrace.session.ram import Ram

_FIRST_VA: Final = 0xFFFF_8000_1000_0000
_VA_STRIDE: Final = 256 << 20
DEFAULT_AUX_BYTES: Final = 4 << 20


def buffer_va(number: int) -> int:
    """Base VA of the buffer of an AUX stream or an assumed vCPU."""
    return (_FIRST_VA + number * _VA_STRIDE) % (1 << 64)


@dataclass(frozen=True)
class Buffer:
    """One vCPU's profiling buffer; in a contiguous placement it ends `below_top` under RAM's top."""

    vm: int
    vcpu: int
    va: int
    bytes: int
    below_top: int
    chunks: tuple[tuple[int, int], ...] = ()
    """(IPA, bytes) of its parts in order, where session.toml lists them."""


@dataclass(frozen=True)
class PlacedBuffer:
    """A buffer with the IPAs of its chunks: per chunk its VA, IPA and pages."""

    buffer: Buffer
    va: Addresses
    ipa: Addresses
    pages: Addresses


def place_buffers(
    buffers: Sequence[Buffer], ram: Ram, page_size: int, seed: int | None = None
) -> list[PlacedBuffer]:
    """Lay the buffers of one VM into its RAM: as listed, else contiguous, or scattered by `seed`.

    Raises UsageError where they do not fit.
    """
    listed = {i: _listed(b, page_size) for i, b in enumerate(buffers) if b.chunks}
    if seed is None:
        return [listed.get(i) or _contiguous(b, ram, page_size) for i, b in enumerate(buffers)]
    pages = [_pages(b.bytes, page_size) if i not in listed else 0 for i, b in enumerate(buffers)]
    drawn = np.split(_draw(ram, sum(pages), page_size, seed), np.cumsum(pages)[:-1])
    return [
        listed.get(i) or _scattered(b, ipa, page_size)
        for i, (b, ipa) in enumerate(zip(buffers, drawn, strict=True))
    ]


def map_buffers(placed: Sequence[PlacedBuffer], ts: int, touched: bool) -> EventRun:
    """The mappings that stand at the start: stage 1, and stage 2 where the vCPU has touched it."""
    runs = []
    for one in placed:
        count = len(one.va)
        own = {"vm": one.buffer.vm, "vcpu": one.buffer.vcpu, "ipa": one.ipa, "pages": one.pages}
        times = np.full(count, ts)
        runs.append(event_run(times, STAGE1_MAP, va=one.va, **own))
        if touched:
            runs.append(event_run(times, STAGE2_MAP, value=1, **own))
    return concatenated(runs)


def _pages(size: int, page_size: int) -> int:
    return -(-size // page_size)


def _contiguous(buffer: Buffer, ram: Ram, page_size: int) -> PlacedBuffer:
    ipa = ram.end - buffer.below_top - buffer.bytes
    if ipa < 0:
        raise UsageError(
            f"the buffer of VM {buffer.vm}, vCPU {buffer.vcpu} ({buffer.bytes} bytes) lies below "
            f"IPA 0: the VM's RAM ends at {ram.end:#x}; give --aux-bytes or --memory-bytes"
        )
    return _placed(buffer, [buffer.va], [ipa], [_pages(buffer.bytes, page_size)])


def _listed(buffer: Buffer, page_size: int) -> PlacedBuffer:
    total = sum(size for _ipa, size in buffer.chunks)
    if total < buffer.bytes or any(size % page_size for _ipa, size in buffer.chunks):
        raise UsageError(
            f"vm.buffer: the chunks of VM {buffer.vm}, vCPU {buffer.vcpu} must be whole pages and "
            f"hold {buffer.bytes} bytes; they hold {total}"
        )
    ipa, sizes = zip(*buffer.chunks, strict=True)
    starts = [0, *np.cumsum(sizes)[:-1].tolist()]
    return _placed(buffer, [buffer.va + s for s in starts], ipa, [s // page_size for s in sizes])


def _placed(
    buffer: Buffer, va: Sequence[int], ipa: Sequence[int], pages: Sequence[int]
) -> PlacedBuffer:
    return PlacedBuffer(buffer, *(np.array(column, np.uint64) for column in (va, ipa, pages)))


def _draw(ram: Ram, pages: int, page_size: int, seed: int) -> Addresses:
    """Distinct pages of RAM, drawn by `seed`."""
    available = ram.bytes // page_size
    if pages > available:
        raise UsageError(
            f"--placement scattered: the buffers need {pages} pages, the RAM has {available}"
        )
    drawn = np.random.default_rng(seed).choice(available, pages, replace=False)
    return np.uint64(ram.ipa) + drawn.astype(np.uint64) * np.uint64(page_size)


def _scattered(buffer: Buffer, ipa: Addresses, page_size: int) -> PlacedBuffer:
    count = len(ipa)
    va = np.uint64(buffer.va) + np.arange(count, dtype=np.uint64) * np.uint64(page_size)
    return PlacedBuffer(buffer, va, ipa, np.ones(count, np.uint64))
