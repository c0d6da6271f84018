"""The size of an AUX area as the recording's command line asked for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"(\d{1,18})([BKMG]?)")
_LONG = "--mmap-pages"
_LARGEST_BYTES = 1 << 48


def aux_area_bytes(cmdline: Sequence[str], page_bytes: int = 4096) -> int | None:
    """The AUX area's size by `-m PAGES,AUXPAGES` (`--mmap-pages`); None where that doesn't tell.

    As perf does (tools/perf/util/evlist.c, `__evlist__parse_mmap_pages`): a number with a unit is
    bytes, one without pages, and both are rounded up to a power of two of pages.
    """
    argument = _mmap_pages(cmdline)
    _, _, size = (argument or "").partition(",")
    match = _SIZE.fullmatch(size)
    if not match:
        return None
    number, unit = int(match[1]), match[2]
    pages = -(-number * _UNITS[unit] // page_bytes) if unit else number
    rounded = (1 << max(pages - 1, 0).bit_length()) * page_bytes
    return rounded if pages and rounded <= _LARGEST_BYTES else None


def _mmap_pages(cmdline: Sequence[str]) -> str | None:
    """The argument of the first -m or --mmap-pages before the profiled command's own words."""
    for place, word in enumerate(cmdline):
        if word == "--":
            return None
        if word in ("-m", _LONG):
            return cmdline[place + 1] if place + 1 < len(cmdline) else None
        if word.startswith(_LONG + "="):
            return word.removeprefix(_LONG + "=")
        if word.startswith("-m"):
            return word.removeprefix("-m")
    return None
