"""Bytes and rows for tests, built field by field."""

from __future__ import annotations

SPE_PADDING = b"\x00"
SPE_END = b"\x01"


def spe_timestamp(ticks: int) -> bytes:
    """An SPE timestamp packet."""
    return b"\x71" + ticks.to_bytes(8, "little")


def spe_address(index: int, payload: int, *, extended: bool = False) -> bytes:
    """An SPE address packet; indices above 7 need an extended header."""
    return _spe_indexed(0xB0, index, payload.to_bytes(8, "little"), extended)


def spe_counter(index: int, value: int, *, extended: bool = False) -> bytes:
    """An SPE counter packet; indices above 7 need an extended header."""
    return _spe_indexed(0x98, index, value.to_bytes(2, "little"), extended)


def spe_context(index: int, value: int) -> bytes:
    """An SPE context packet: index 0 for EL1, 1 for EL2."""
    return bytes([0x64 | index]) + value.to_bytes(4, "little")


def spe_operation(operation_class: int, payload: int) -> bytes:
    """An SPE operation type packet."""
    return bytes([0x48 | operation_class, payload])


def spe_events(events: int, size: int = 2) -> bytes:
    """An SPE events packet with a payload of `size` (1, 2, 4, 8) bytes."""
    return _spe_sized(0x42, events, size)


def spe_data_source(value: int, size: int = 1) -> bytes:
    """An SPE data source packet with a payload of `size` (1, 2, 4, 8) bytes."""
    return _spe_sized(0x43, value, size)


def spe_slot_record(ticks: int, pc: int, operation: bytes, data: bytes = b"") -> bytes:
    """A 64-byte record laid out as Neoverse N1 does; `data` is what lies between latency and time."""
    head = b"".join(
        (
            spe_address(0, pc | 0x80 << 56),
            bytes(5),
            spe_context(1, 42),
            operation,
            spe_events(0x16),
            spe_counter(1, 5),
            spe_counter(0, 9),
        )
    )
    return (head + data).ljust(55, SPE_PADDING) + spe_timestamp(ticks)


def spe_load_record(ticks: int, pc: int, va: int) -> bytes:
    """A 64-byte record of a load that hit the first-level cache."""
    pa = spe_address(3, va & 0xFFFF_FFFF | 0x80 << 56)
    data = spe_address(2, va) + spe_counter(2, 1) + pa + spe_data_source(0)
    return spe_slot_record(ticks, pc, spe_operation(1, 0), data)


def spe_branch_record(ticks: int, pc: int, target: int) -> bytes:
    """A 64-byte record of an unconditional branch."""
    target_packet = spe_address(1, target | 0x80 << 56)
    return spe_slot_record(ticks, pc, spe_operation(2, 0), target_packet)


def _spe_indexed(pattern: int, index: int, payload: bytes, extended: bool) -> bytes:
    header = bytes([pattern | index & 7])
    return (bytes([0x20 | index >> 3]) if extended or index > 7 else b"") + header + payload


def _spe_sized(pattern: int, value: int, size: int) -> bytes:
    return bytes([pattern | (size.bit_length() - 1) << 4]) + value.to_bytes(size, "little")
