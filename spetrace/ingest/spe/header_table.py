"""What each header byte means to the kernel: a code, the packet's size, the payload bits to keep."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.arm import spe_packets as spe


class Slot(IntEnum):
    """Where a record keeps a payload: row of the raw payloads and bit of the record's present mask."""

    TIMESTAMP = 0
    PC = 1
    BRANCH_TARGET = 2
    DATA_VA = 3
    DATA_PA = 4
    PREVIOUS_BRANCH_TARGET = 5
    EVENTS = 6
    OPERATION = 7
    TOTAL_LATENCY = 8
    ISSUE_LATENCY = 9
    TRANSLATION_LATENCY = 10
    DATA_SOURCE = 11
    CONTEXT_EL1 = 12
    CONTEXT_EL2 = 13
    OTHER_COUNTERS = 14
    IGNORED = 15


PAYLOAD_SLOTS = 14
"""Slots below this one keep the payload itself."""

# Codes of headers that fill no slot, above all slots.
PADDING = 16
END = 17
EXTENDED = 18
UNASSIGNED = 19
BAD = 20


class HeaderTable(NamedTuple):
    """Four arrays of 256 entries, by (last) header byte."""

    code: npt.NDArray[np.uint8]
    """The packet's slot, or one of the codes above."""
    size: npt.NDArray[np.uint8]
    """Bytes from this header byte up to the packet's end."""
    keep: npt.NDArray[np.uint64]
    """Mask of the payload bits to keep."""
    extra: npt.NDArray[np.uint64]
    """Bits to add above the payload: the operation class in bits 15:8."""


_ADDRESSES: dict[int, Slot] = {
    spe.AddressIndex.PC: Slot.PC,
    spe.AddressIndex.BRANCH_TARGET: Slot.BRANCH_TARGET,
    spe.AddressIndex.DATA_VA: Slot.DATA_VA,
    spe.AddressIndex.DATA_PA: Slot.DATA_PA,
    spe.AddressIndex.PREVIOUS_BRANCH_TARGET: Slot.PREVIOUS_BRANCH_TARGET,
}
_COUNTERS: dict[int, Slot] = {
    spe.CounterIndex.TOTAL_LATENCY: Slot.TOTAL_LATENCY,
    spe.CounterIndex.ISSUE_LATENCY: Slot.ISSUE_LATENCY,
    spe.CounterIndex.TRANSLATION_LATENCY: Slot.TRANSLATION_LATENCY,
}
_CONTEXTS: dict[int, Slot] = {
    spe.ContextIndex.EL1: Slot.CONTEXT_EL1,
    spe.ContextIndex.EL2: Slot.CONTEXT_EL2,
}


@cache
def header_table(wanted: frozenset[Slot] = frozenset(Slot)) -> HeaderTable:
    """The table for records of which only the `wanted` slots are kept (and the timestamp)."""
    table = HeaderTable(
        np.full(256, BAD, np.uint8),
        np.ones(256, np.uint8),
        np.zeros(256, np.uint64),
        np.zeros(256, np.uint64),
    )
    for pattern, code in ((spe.PADDING, PADDING), (spe.END, END), (spe.EXTENDED, EXTENDED)):
        for header in _headers(pattern):
            table.code[header] = code
    for header, code in _payload_headers():
        drop = code in tuple(Slot) and code != Slot.TIMESTAMP and code not in wanted
        size = spe.payload_bytes(header)
        table.code[header] = Slot.IGNORED if drop else code
        table.size[header] = 1 + size
        table.keep[header] = (1 << 8 * size) - 1
    for header in _headers(spe.DATA_SOURCE):
        table.keep[header] &= np.uint64(spe.DATA_SOURCE_MASK)
    for header in _headers(spe.OPERATION_TYPE):
        table.extra[header] = spe.operation_class(header) << 8
    for array in table:
        array.flags.writeable = False
    return table


def _headers(pattern: spe.HeaderPattern) -> Iterator[int]:
    return (header for header in range(256) if pattern.matches(header))


def _payload_headers() -> Iterator[tuple[int, int]]:
    for pattern, slot in (
        (spe.TIMESTAMP, Slot.TIMESTAMP),
        (spe.EVENTS, Slot.EVENTS),
        (spe.DATA_SOURCE, Slot.DATA_SOURCE),
    ):
        yield from ((header, slot) for header in _headers(pattern))
    for header in _headers(spe.CONTEXT):
        yield header, _CONTEXTS.get(spe.context_index(header), Slot.IGNORED)
    for header in _headers(spe.OPERATION_TYPE):
        is_assigned = spe.operation_class(header) in tuple(spe.OperationClass)
        yield header, Slot.OPERATION if is_assigned else UNASSIGNED
    for header in _headers(spe.ADDRESS):
        yield header, _ADDRESSES.get(spe.index(header), Slot.IGNORED)
    for header in _headers(spe.COUNTER):
        yield header, _COUNTERS.get(spe.index(header), Slot.OTHER_COUNTERS)
