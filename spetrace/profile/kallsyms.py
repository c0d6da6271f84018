"""A kallsyms file: the kernel's symbols, as `/proc/kallsyms` gives them to root.

One line per symbol: address, type letter, name, and for a module's its name in brackets (Linux 6.12,
kernel/kallsyms.c, `s_show`). Module symbols have a size in no kernel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from spetrace.errors import InputError
from spetrace.profile.symbol_table import SymbolTable, symbol_table

_LINE = re.compile(
    rb"^([0-9a-fA-F]{1,16}) ([A-Za-z]) ([^\s]+)(?:[ \t]+(\[[^\]\s]+\]))?[ \t]*\r?$", re.MULTILINE
)
_TEXT = frozenset(b"tTwWvViI")
"""Types of code (nm's letters): local, global, weak."""
_GLOBAL = frozenset(b"T")
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
    matched = 0
    for match in _LINE.finditer(text):
        matched += 1
        address, type_, name, module = match.groups()
        if name in (b"_text", b"_stext") and not module:
            anchors[name.decode()] = int(address, 16)
        if type_[0] in _TEXT and not name.startswith(b"$") and int(address, 16):
            starts.append(int(address, 16))
            ranks.append(0 if type_[0] in _GLOBAL else 1)
            places.append(len(names))
            names += name + b"\0"
            modules.append(module.decode("utf-8", "replace") if module else None)
    if not matched:
        raise InputError(STRUCTURE, "has no line of address, type and name", line=1)
    if not starts:
        raise InputError(STRUCTURE, "hides the addresses: save /proc/kallsyms as root")
    at = np.array(places, np.int64)
    table = symbol_table(
        np.array(starts, np.uint64), np.zeros(len(starts), np.uint64), at, bytes(names),
        np.array(ranks, np.int64),
    )  # fmt: skip
    owner = dict(zip(places, modules, strict=True))
    return Kallsyms(table, [owner[start] for start in table.name_starts.tolist()], anchors)
