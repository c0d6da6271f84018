"""SPE packets as the words that perf prints for them (arm_spe_pkt_desc, Linux 7.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spetrace.arm import spe_packets as spe
from spetrace.arm.events import EVENT_NAMES, EVENT_NAMES_BY_CPU, EVENTS_BITS
from spetrace.arm.midr import cpu_model
from spetrace.arm.operation import operation_name
from spetrace.arm.perf_packet_names import ADDRESS_NAMES, COUNTER_NAMES
from spetrace.ingest.spe.packets import Kind, Packet

BAD = "Bad packet!"
PADDING = "PAD"


def named_events(midr: int | None) -> dict[int, str]:
    """Event bits with a name on the CPU of this MIDR_EL1 (None: unknown), in perf's order."""
    return EVENT_NAMES | ({} if midr is None else EVENT_NAMES_BY_CPU.get(cpu_model(midr), {}))


def render_packet(packet: Packet, event_names: Mapping[int, str]) -> str:
    """The text of one packet; `event_names` are its CPU's (`named_events`).

    Empty for operations of class OTHER in an encoding that perf has no words for. Indices and
    classes without a meaning are shown raw: kind, payload, index in brackets.
    """
    match packet.kind:
        case Kind.BAD:
            return BAD
        case Kind.PADDING:
            return PADDING
        case Kind.END:
            return "END"
        case Kind.TIMESTAMP:
            return f"TS {_signed(packet.payload)}"
        case Kind.DATA_SOURCE:
            return f"DATA-SOURCE {_signed(packet.payload)}"
        case Kind.CONTEXT:
            return f"CONTEXT {packet.payload:#x} el{packet.index + 1}"
        case Kind.COUNTER:
            return f"LAT {packet.payload} {COUNTER_NAMES.get(packet.index, '')}"
        case Kind.EVENTS:
            return " ".join(_events(packet.payload, event_names))
        case Kind.ADDRESS:
            return _address(packet)
        case Kind.OPERATION_TYPE:
            return _operation(packet)


def _signed(payload: int) -> int:
    # perf prints these with %lld.
    return payload - (1 << 64) if payload >> 63 else payload


def _raw(kind: str, packet: Packet) -> str:
    return f"{kind} {packet.payload:#x} ({packet.index})"


def _events(payload: int, event_names: Mapping[int, str]) -> Iterator[str]:
    yield "EV"
    for bit, name in event_names.items():
        if payload >> bit & 1:
            yield name
    unnamed = [n for n in range(EVENTS_BITS) if payload >> n & 1 and n not in event_names]
    if unnamed:
        yield f"IMPDEF:{','.join(map(str, unnamed))}"


def _address(packet: Packet) -> str:
    name, raw = ADDRESS_NAMES.get(packet.index), packet.payload
    address, ns = raw & spe.ADDRESS_MASK, int(spe.non_secure(raw))
    match packet.index:
        case _ if name is None:
            return _raw("ADDR", packet)
        case spe.AddressIndex.DATA_VA:
            return f"{name} {raw:#x}"
        case spe.AddressIndex.DATA_PA:
            checked, tag = int(spe.tag_checked(raw)), spe.physical_address_tag(raw)
            return f"{name} {address:#x} ns={ns} ch={checked} pat={tag:x}"
    return f"{name} {address:#x} el{spe.exception_level(raw)} ns={ns}"


def _operation(packet: Packet) -> str:
    if packet.index not in tuple(spe.OperationClass):
        return _raw("OP-TYPE", packet)
    return operation_name(packet.index, packet.payload) or ""
