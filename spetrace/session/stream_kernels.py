"""What is done for each record when a stream's records become events."""

from __future__ import annotations

from typing import Any, Final

import numba

UNKNOWN_LEVEL: Final = 255
"""The exception level of a record whose PC is not known."""


@numba.njit(cache=True, nogil=True)
def place_records(
    aux_offset: Any, start: Any, end: Any, part: int, held: Any, parts: Any, counts: Any
) -> int:
    """Say in `held` per record whether it starts in an AUX record, and give the number of those.

    `parts` are the AUX records in which some start, `counts` how many do in each. AUX record n has the
    offsets from start[n] up to end[n] that none before it has. `part` is the last one that has
    records already: a record that starts in an earlier one is in none.
    """
    runs, at = 0, part
    for i in range(len(aux_offset)):
        offset = aux_offset[i]
        if at >= len(end) or offset >= end[at] or (at > 0 and offset < end[at - 1]):
            low, at = 0, len(end)
            while low < at:
                middle = (low + at) // 2
                if end[middle] <= offset:
                    low = middle + 1
                else:
                    at = middle
        held[i] = part <= at < len(end) and offset >= start[at]
        if not held[i]:
            continue
        if runs == 0 or at != part:
            parts[runs], counts[runs] = at, 0
            runs += 1
        counts[runs - 1] += 1
        part = at
    return runs


@numba.njit(cache=True, nogil=True)
def find_turns(level: Any, counts: Any, stood: int, later: int, turns: Any, turned: Any) -> None:
    """Say in `turns` which records differ in level from what stood before, in `turned` how many do.

    The latter by piece, each of which has `counts` records. `stood` is the level before the first
    piece, `later` that before each other one. A record of UNKNOWN_LEVEL is given the level that
    stands.
    """
    at = 0
    for piece in range(len(counts)):
        for _ in range(counts[piece]):
            if level[at] == UNKNOWN_LEVEL:
                level[at] = stood
            turns[at] = level[at] != stood
            turned[piece] += turns[at]
            stood = level[at]
            at += 1
        stood = later


@numba.njit(cache=True, nogil=True)
def write_records(
    places: Any, counts: Any, codes: Any,
    size_bytes: Any, time_ns: Any, level: Any, turns: Any, rows: Any,
    ts: Any, code: Any, value: Any, row: Any,
) -> None:  # fmt: skip
    """Write the records of each piece from its place on, before those that turn the change of level.

    `codes` are those of a change to EL0, of one to EL1, and of a record. The last four arrays are the
    events' columns, those before them the records'.
    """
    at = 0
    for piece in range(len(counts)):
        place = places[piece]
        for _ in range(counts[piece]):
            if turns[at]:
                ts[place], code[place] = time_ns[at], codes[level[at]]
                place += 1
            ts[place], code[place] = time_ns[at], codes[2]
            value[place], row[place] = size_bytes[at], rows[at]
            place += 1
            at += 1
