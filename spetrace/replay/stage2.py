"""One VM's stage 2 of translation under one strategy: permissions and pins of its IPA pages."""

from __future__ import annotations

from spetrace.replay.page_map import PageMap, PageRange

UNMAPPED, READ_ONLY, WRITABLE = 0, 1, 2
_PERMISSION = 3
VM_PIN = 1 << 2
"""The pin that the VM itself holds (pin-vm)."""


def vcpu_pin(number: int) -> int:
    """The bit that says that the VM's `number`-th vCPU pins a page."""
    return 1 << (3 + number)


class Stage2:
    """Per IPA page: its permission in the low two bits, who pins it in the bits above."""

    def __init__(self, mapped: bool) -> None:
        self._pages: PageMap[int] = PageMap(WRITABLE if mapped else UNMAPPED)

    def mapped(self, page: int) -> bool:
        """Whether a page is mapped, read-only or writable."""
        return self._pages.at(page) & _PERMISSION != UNMAPPED

    def writable(self, page: int) -> bool:
        """Whether a page is mapped writable."""
        return self._pages.at(page) & _PERMISSION == WRITABLE

    def first_not_writable(self, first: int, end: int) -> int | None:
        """The first page of [first, end) that can't be written."""
        for start, _, state in self._pages.runs(first, end):
            if state & _PERMISSION != WRITABLE:
                return start
        return None

    def map(self, first: int, end: int, writable: bool) -> None:
        """Map pages writable, or read-only where they were unmapped."""
        if writable:
            self._pages.transform(first, end, lambda s: s & ~_PERMISSION | WRITABLE)
        else:
            self._pages.transform(first, end, lambda s: s if s & _PERMISSION else s | READ_ONLY)

    def write_protect(self, first: int, end: int) -> int:
        """Take write permission away; the number of pinned pages that lost it."""
        met = self._pages.transform(
            first, end, lambda s: s ^ 3 if s & _PERMISSION == WRITABLE else s
        )
        return sum(pages for pages, old, new in met if old != new and old > _PERMISSION)

    def unmap(self, first: int, end: int, pins_refuse: bool) -> int:
        """Unmap pages, pinned ones too unless `pins_refuse`; the number of pinned pages met."""
        if pins_refuse:
            met = self._pages.transform(first, end, lambda s: s if s > _PERMISSION else UNMAPPED)
        else:
            met = self._pages.transform(first, end, lambda _: UNMAPPED)
        return sum(pages for pages, old, _ in met if old > _PERMISSION)

    def pin(self, pages: list[PageRange], pin: int) -> int:
        """Pin pages and make them writable; the number that nobody had pinned."""
        count = 0
        for first, end in pages:
            met = self._pages.transform(first, end, lambda s: (s | pin) & ~_PERMISSION | WRITABLE)
            count += sum(n for n, old, _ in met if old <= _PERMISSION)
        return count

    def release(self, pages: list[PageRange], pin: int) -> int:
        """Take one pin off pages; the number that nobody pins any more."""
        count = 0
        for first, end in pages:
            met = self._pages.transform(first, end, lambda s: s & ~pin)
            count += sum(n for n, old, new in met if old != new and new <= _PERMISSION)
        return count

    def pin_all(self) -> None:
        """Map every page writable and pin it for the VM."""
        self._pages = PageMap(WRITABLE | VM_PIN)

    def unpinned(self, pages: list[PageRange]) -> int:
        """How many of `pages` nobody pins."""
        return sum(
            stop - start
            for first, end in pages
            for start, stop, state in self._pages.runs(first, end)
            if state <= _PERMISSION
        )

    def without_pin(self, pages: list[PageRange], pin: int) -> list[PageRange]:
        """The pages among `pages` that do not have `pin`."""
        return [
            (start, stop)
            for first, end in pages
            for start, stop, state in self._pages.runs(first, end)
            if not state & pin
        ]
