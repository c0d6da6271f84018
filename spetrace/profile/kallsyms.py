"""A kallsyms file: the kernel's symbols, as `/proc/kallsyms` gives them to root.

One line per symbol: address, type letter, name, and for a module's its name in brackets (Linux 6.12,
kernel/kallsyms.c, `s_show`). No sizes: a function ends where the next symbol of any type starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from spetrace.errors import InputError
from spetrace.profile.symbol_table import SymbolTable, Uint64s, symbol_table

_LINE = re.compile(
    rb"^([0-9a-fA-F]{1,16}) ([A-Za-z]) ([^\s]+)(?:[ \t]+(\[[^\]\s]+\]))?[ \t]*\r?$", re.MULTILINE
)
_TEXT = frozenset(b"tTwWvViI")
"""Types of code (nm's letters): local, global, weak."""
_GLOBAL = frozenset(b"T")
_LONGEST = 1 << 20
"""Bytes behind a symbol that can be its; what lies farther is no symbol's (a gap between images)."""
STRUCTURE = "kallsyms"


@dataclass(frozen=True)
class Kallsyms:
    """The kernel's functions; `modules` has each one's module by its place, None in the kernel."""

    table: SymbolTable
    modules: list[str | None]
    anchors: dict[str, int]
    """Address of `_text` and `_stext`, by which perf names the kernel's mapping."""


def parse_kallsyms(text: bytes) -> Kallsyms:
    """The functions in the text of a kallsyms file.

    Raises InputError where it has no symbol, or where all addresses are hidden (zero).
    """
    starts: list[int] = []
    ranks: list[int] = []
    names, places, modules = bytearray(), [], []
    anchors: dict[str, int] = {}
    every: list[int] = []
    for match in _LINE.finditer(text):
        digits, type_, name, module = match.groups()
        address = int(digits, 16)
        every.append(address)
        if name in (b"_text", b"_stext") and not module:
            anchors[name.decode()] = address
        if type_[0] in _TEXT and not name.startswith(b"$") and address:
            starts.append(address)
            ranks.append(0 if type_[0] in _GLOBAL else 1)
            places.append(len(names))
            names += name + b"\0"
            modules.append(module.decode("utf-8", "replace") if module else None)
    if not every:
        raise InputError(STRUCTURE, "has no line of address, type and name", line=1)
    if not starts:
        raise InputError(STRUCTURE, "hides the addresses: save /proc/kallsyms as root")
    begins = np.array(starts, np.uint64)
    table = symbol_table(
        begins,
        _sizes(begins, np.array(every, np.uint64)),
        np.array(places, np.int64),
        bytes(names),
        np.array(ranks, np.int64),
    )
    owner = dict(zip(places, modules, strict=True))
    return Kallsyms(table, [owner[start] for start in table.name_starts.tolist()], anchors)


def _sizes(starts: Uint64s, every: Uint64s) -> Uint64s:
    """How far each function can reach: to the next of all symbols, at most _LONGEST."""
    bounds = np.unique(every)
    following = np.searchsorted(bounds, starts, "right")
    distance = bounds[np.minimum(following, len(bounds) - 1)] - starts
    bounded = np.where(following < len(bounds), distance, _LONGEST)
    return np.minimum(bounded, _LONGEST).astype(np.uint64)
