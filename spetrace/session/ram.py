"""A VM's RAM: where it lies and how large it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spetrace.session.event_run import EventRun
from spetrace.session.memslots import Memslot

GIB: Final = 1 << 30
DEFAULT_RAM_IPA: Final = 0x8000_0000
DEFAULT_MEMORY_BYTES: Final = 1 << 30


@dataclass(frozen=True)
class Ram:
    """[ipa, ipa + bytes), and what tells so."""

    ipa: int
    bytes: int
    how: str = "where RAM of a virt machine begins"
    is_known: bool = False
    """Whether files or the user tell it."""

    @property
    def end(self) -> int:
        """The first IPA after it."""
        return self.ipa + self.bytes


def find_ram(
    slots: Sequence[Memslot],
    given: tuple[int, int] | None,
    memory_bytes: int,
    maps: Callable[[], Iterable[EventRun]],
) -> Ram:
    """A VM's RAM: its largest writable memslot, else as given, else where its pages are mapped.

    The last one has `memory_bytes` from the multiple of 1 GiB in whose GiB most pages of the VM's
    stage-2 `maps` lie, or from 0x8000_0000 where there are none.
    """
    writable = [slot for slot in slots if not slot.read_only]
    if writable:
        largest = max(writable, key=lambda slot: slot.bytes)
        return Ram(largest.ipa, largest.bytes, "its largest memslot", True)
    if given:
        return Ram(*given, "session.toml", True)
    gib = _fullest_gib(maps())
    if gib is None:
        return Ram(DEFAULT_RAM_IPA, memory_bytes)
    return Ram(gib * GIB, memory_bytes, "in the GiB where most pages are mapped")


def _fullest_gib(maps: Iterable[EventRun]) -> int | None:
    """The number of the GiB with the most mapped pages, of as many the lowest; None without maps."""
    pages: dict[int, float] = {}
    for part in maps:
        gibs, place = np.unique(part.ipa // np.uint64(GIB), return_inverse=True)
        counts = np.bincount(place, weights=part.pages.astype(np.float64))
        for gib, count in zip(gibs.tolist(), counts.tolist(), strict=True):
            pages[gib] = pages.get(gib, 0.0) + count
    return max(sorted(pages), key=pages.__getitem__, default=None)
