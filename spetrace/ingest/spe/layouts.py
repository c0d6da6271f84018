"""Layouts of records: where the headers of one lie, and which payloads follow them.

An SPU writes records of few layouts, one or two for each kind of operation. What the kernel makes of a
record follows from its headers alone, so one whose bytes at all places of headers are those of a
record before is of that layout: its payloads are where that one's were.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.ingest.spe.header_table import PADDING, PAYLOAD_SLOTS, HeaderTable

WIDTH: Final = 64
"""Bytes of the longest record with a layout."""
WORDS: Final = WIDTH // 8
MOST_LAYOUTS: Final = 16
"""Those that are kept: recordings of Neoverse and Kunpeng cores have three to five."""

# Entries of a layout's facts.
SIZE = 0
"""Bytes of the record."""
PRESENT_CODES = 1
"""Codes of its packets as bits."""
KEPT = 2
"""Payloads of it that are kept."""
_FACTS = 3

# Entries of what is known of a payload that is kept.
SLOT = 0
PLACE = 1
"""The byte of the record where it begins."""
KEEP = 2
EXTRA = 3
"""These two as the header table has them for its header."""
_OF_A_PAYLOAD = 4


class Layouts(NamedTuple):
    """Arrays of up to MOST_LAYOUTS layouts (uint64); how many there are is in the kernel's state."""

    headers: npt.NDArray[np.uint64]
    """By layout the record's bytes at places of headers and padding as words, 0 elsewhere."""
    masks: npt.NDArray[np.uint64]
    """By layout 0xFF at those places."""
    facts: npt.NDArray[np.uint64]
    """By layout its SIZE, PRESENT_CODES and KEPT."""
    payloads: npt.NDArray[np.uint64]
    """By layout and payload its SLOT, PLACE, KEEP and EXTRA."""


def no_layouts() -> Layouts:
    """Room for layouts."""
    return Layouts(
        np.zeros((MOST_LAYOUTS, WORDS), np.uint64),
        np.zeros((MOST_LAYOUTS, WORDS), np.uint64),
        np.zeros((MOST_LAYOUTS, _FACTS), np.uint64),
        np.zeros((MOST_LAYOUTS, WIDTH // 2, _OF_A_PAYLOAD), np.uint64),
    )


def add_layout(
    layouts: Layouts, known: int, record: npt.NDArray[np.uint8], table: HeaderTable
) -> int:
    """Keep the layout of a whole record of at most WIDTH bytes, all of whose headers have one byte.

    Returns how many there are then, with those that were `known`.
    """
    is_header = np.zeros(WIDTH, np.uint8)
    present, place = 0, 0
    kept = []
    while place < len(record):
        header = record[place]
        is_header[place] = 0xFF
        code = int(table.code[header])
        if code != PADDING:
            present |= 1 << code
        if code < PAYLOAD_SLOTS:
            kept.append((code, place + 1, table.keep[header], table.extra[header]))
        place += int(table.size[header])
    headers = np.zeros(WIDTH, np.uint8)
    headers[: len(record)] = record
    layouts.headers[known] = (headers & is_header).view("<u8")
    layouts.masks[known] = is_header.view("<u8")
    layouts.facts[known] = len(record), present, len(kept)
    for i, payload in enumerate(kept):
        layouts.payloads[known, i] = payload
    return known + 1
