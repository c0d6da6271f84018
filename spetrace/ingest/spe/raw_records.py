"""Where the kernel collects records: payloads as recorded, slot by slot, and its own state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.arm.spe_packets import COUNTER_INDICES
from spetrace.ingest.spe.header_table import PAYLOAD_SLOTS

# Entries of the state array (uint64).
AT = 0
"""AUX offset of the next packet."""
BEGIN = 1
"""AUX offset where the record being collected begins."""
PRESENT = 2
"""Slots of the packets of that record that came so far; 0 before its first."""
ROWS = 3
"""Finished records in the arrays."""
OTHERS = 4
"""Other counters in the arrays, with those of the record being collected."""
BAD_PACKETS = 5
CUT_RECORDS = 6
WITHOUT_TIME = 7
LAYOUTS = 8
"""Layouts of records that are known."""
STATE_ENTRIES = 9

MOST_OTHERS = COUNTER_INDICES
"""Other counters that one record can have: one per index."""

_LINE = 8
"""Words of a cache line; keeps the slots' rows from sharing the same cache sets."""


class RawRecords(NamedTuple):
    """Arrays of up to `capacity` records; entries of absent slots hold anything."""

    payloads: npt.NDArray[np.uint64]
    """By slot and record."""
    present: npt.NDArray[np.uint16]
    """Mask of the slots that each record has."""
    begins: npt.NDArray[np.uint64]
    """AUX offset of each record."""
    sizes: npt.NDArray[np.uint32]
    """Bytes of each record, at most 2**32 - 1."""
    other_ends: npt.NDArray[np.int32]
    """Record i's other counters are those from other_ends[i] up to other_ends[i + 1]."""
    other_indices: npt.NDArray[np.uint8]
    other_values: npt.NDArray[np.uint16]


def allocate(capacity: int) -> RawRecords:
    """Arrays for `capacity` records that have one other counter each, or fewer with more each."""
    others = capacity + MOST_OTHERS
    return RawRecords(
        np.zeros((PAYLOAD_SLOTS, capacity + _LINE), np.uint64),
        np.zeros(capacity, np.uint16),
        np.zeros(capacity, np.uint64),
        np.zeros(capacity, np.uint32),
        np.zeros(capacity + 1, np.int32),
        np.zeros(others, np.uint8),
        np.zeros(others, np.uint16),
    )
