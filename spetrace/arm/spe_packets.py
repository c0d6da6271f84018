"""Packets of an Arm SPE sample record: header patterns, indices, payload bits; no state.

Sources: Arm ARM (DDI 0487), chapter "Statistical Profiling Extension Sample Record Specification";
Linux 6.12 tools/perf/util/arm-spe-decoder/arm-spe-pkt-decoder.[ch]. Payloads are little-endian
whatever the machine.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class HeaderPattern(NamedTuple):
    """Header bytes of one packet kind: those that equal `value` under `mask`."""

    mask: int
    value: int

    def matches(self, header: int) -> bool:
        """Whether the byte `header` is one of them."""
        return header & self.mask == self.value


PADDING = HeaderPattern(0xFF, 0x00)
END = HeaderPattern(0xFF, 0x01)
TIMESTAMP = HeaderPattern(0xFF, 0x71)
EVENTS = HeaderPattern(0xCF, 0x42)
DATA_SOURCE = HeaderPattern(0xCF, 0x43)
CONTEXT = HeaderPattern(0xFC, 0x64)
OPERATION_TYPE = HeaderPattern(0xFC, 0x48)
ADDRESS = HeaderPattern(0xF8, 0xB0)
COUNTER = HeaderPattern(0xF8, 0x98)
EXTENDED = HeaderPattern(0xFC, 0x20)
"""First byte of a two-byte header; the second is an address or counter header, or ALIGNMENT."""
ALIGNMENT = HeaderPattern(0xFF, 0x00)
"""Second byte of an alignment packet."""

LONGEST_PACKET_BYTES = 16
"""The widest alignment packet; address packets with an extended header take 10 bytes."""


class AddressIndex(IntEnum):
    """What an address packet holds."""

    PC = 0
    BRANCH_TARGET = 1
    DATA_VA = 2
    DATA_PA = 3
    PREVIOUS_BRANCH_TARGET = 4


class CounterIndex(IntEnum):
    """What a counter packet counts, in cycles; indices 3 to 31 have no architected name."""

    TOTAL_LATENCY = 0
    ISSUE_LATENCY = 1
    TRANSLATION_LATENCY = 2


COUNTER_INDICES = 32
"""Indices that a counter packet with an extended header can have."""


class ContextIndex(IntEnum):
    """Which CONTEXTIDR a context packet holds; 2 and 3 are unassigned."""

    EL1 = 0
    EL2 = 1


class OperationClass(IntEnum):
    """Low two bits of an operation type header; 3 is unassigned."""

    OTHER = 0
    LOAD_STORE = 1
    BRANCH = 2


OPERATION_STORE = 1 << 0
"""Payload bit of class LOAD_STORE: a store if set, a load if clear."""

DATA_SOURCE_MASK = 0xFFFF
"""The bits of a data source payload that perf keeps."""

ADDRESS_BITS = 56
ADDRESS_MASK = (1 << ADDRESS_BITS) - 1
_UPPER_ADDRESS = 0xFF << ADDRESS_BITS


def payload_bytes(header: int) -> int:
    """Size of the payload by bits 5:4 of the last header byte: 1, 2, 4 or 8."""
    return 1 << (header >> 4 & 3)


def index(header: int) -> int:
    """Index of an address or counter packet with a short header: 0 to 7."""
    return header & 7


def extended_index(first: int, second: int) -> int:
    """Index of an address or counter packet with an extended header: 0 to 31."""
    return (first & 3) << 3 | second & 7


def context_index(header: int) -> int:
    """Index of a context packet: 0 to 3."""
    return header & 3


def operation_class(header: int) -> int:
    """Class of an operation type packet: 0 to 3."""
    return header & 3


def alignment_bytes(first: int) -> int:
    """Alignment that an alignment packet reaches up to: 2, 4, 8 or 16."""
    return 1 << ((first & 0xF) + 1)


def sign_extend(payload: int) -> int:
    """An address payload's virtual address: bits 55:0, sign-extended from bit 55 to 64 bits."""
    address = payload & ADDRESS_MASK
    return address | _UPPER_ADDRESS if address >> (ADDRESS_BITS - 1) else address


def address_tag(payload: int) -> int:
    """Top byte of a data virtual address: the program's tag (TBI, MTE)."""
    return payload >> ADDRESS_BITS


def exception_level(payload: int) -> int:
    """Exception level of a PC or branch target: bits 62:61."""
    return payload >> 61 & 3


def non_secure(payload: int) -> bool:
    """NS of a PC, branch target or physical address: bit 63."""
    return bool(payload >> 63)


def tag_checked(payload: int) -> bool:
    """CH of a physical address: the access was checked against the allocation tag (bit 62)."""
    return bool(payload >> 62 & 1)


def physical_address_tag(payload: int) -> int:
    """PAT of a physical address: bits 59:56."""
    return payload >> ADDRESS_BITS & 0xF
