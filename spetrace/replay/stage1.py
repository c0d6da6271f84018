"""A guest's stage 1 of translation: VA pages to IPA pages and the table pages on the way.

It is the guest's own doing, the same under every strategy: all of a replay share it.
"""

from __future__ import annotations

from dataclasses import dataclass

from spetrace.replay.page_map import PageMap, PageRange, merged

Mapping = tuple[int, tuple[int, ...]] | None
"""(IPA page - VA page, table pages), or None where nothing is mapped."""


@dataclass(frozen=True)
class Walk:
    """What a software walk of the VA pages [first, end) finds."""

    first: int
    end: int
    failures: int
    first_resolved: bool
    pages: list[PageRange]
    """The IPA pages that it leads to and the table pages on the way, merged."""

    @property
    def count(self) -> int:
        """Pages walked."""
        return self.end - self.first


class Stage1:
    """One VM's stage 1, with its walks remembered until it changes."""

    def __init__(self) -> None:
        self._map: PageMap[Mapping] = PageMap(None)
        self._walks: dict[PageRange, Walk] = {}
        self.runs = self._map.runs
        self.at = self._map.at

    def map(
        self, first: int, count: int, ipa_page: int, tables: tuple[int, ...]
    ) -> list[PageRange]:
        """Map VA pages to IPA pages; the VA pages whose mapping this changed."""
        return self._assign(first, first + count, (ipa_page - first, tables))

    def unmap(self, first: int, count: int) -> list[PageRange]:
        """Remove mappings; the VA pages whose mapping this changed."""
        return self._assign(first, first + count, None)

    def walk(self, first: int, end: int) -> Walk:
        """Walk the VA pages [first, end)."""
        found = self._walks.get((first, end))
        if found is None:
            found = self._walks[first, end] = self._walk(first, end)
        return found

    def _assign(self, first: int, end: int, mapping: Mapping) -> list[PageRange]:
        changed = []
        start = first
        for pages, old, _ in self._map.transform(first, end, lambda _: mapping):
            if old != mapping:
                changed.append((start, start + pages))
            start += pages
        if changed:
            self._walks.clear()
        return changed

    def _walk(self, first: int, end: int) -> Walk:
        pages: list[PageRange] = []
        resolved = 0
        for start, stop, mapping in self._map.runs(first, end):
            if mapping is not None:
                delta, tables = mapping
                resolved += stop - start
                pages.append((start + delta, stop + delta))
                pages += [(table, table + 1) for table in tables]
        first_resolved = first < end and self._map.at(first) is not None
        return Walk(first, end, end - first - resolved, first_resolved, merged(pages))
