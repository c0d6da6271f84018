"""Pieces of sentences: lists of names, numbers with their noun, and strings that files supplied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def printable(value: Any) -> str:
    """`value` as text that is safe on a terminal and in a file.

    Control, format and surrogate characters (a file name can hold any) become backslash escapes.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value)
    )


def join_names(names: Sequence[str]) -> str:
    """Names as a list in a sentence: "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def count_of(count: int, noun: str) -> str:
    """A count with its noun, in the plural unless it is one; "strategy" becomes "strategies"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
