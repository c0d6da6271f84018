"""Decoding of SPE bytes in plain Python: the specification in code, which the kernel must equal.

`iter_records` collects packets to records, `iter_rows` makes columns of them. Bad bytes (a header
that is none, or a packet cut by the segment's end) and operation class 3 drop the record being
collected; the one after them begins empty (tools/perf/util/arm-spe-decoder/arm-spe-decoder.c,
Linux 6.12). An end packet of an empty record, which no SPU writes, is as bad: it comes from the
inside of a cut packet, and would make a row that tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spetrace.arm import spe_packets as spe
from spetrace.ingest.spe.packets import Kind, Packet, iter_packets
from spetrace.ingest.spe.segment import Segment
from spetrace.ingest.spe.timestamps import ticks_to_ns
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion

if TYPE_CHECKING:
    from spetrace.ingest.spe.decode import StreamIdentity


@dataclass
class Record:
    """The last packet of each kind (and index) between two ends, and the bytes they lie in."""

    begin: int
    end: int = 0
    packets: dict[tuple[Kind, int], Packet] = field(default_factory=dict)

    def payload(self, kind: Kind, index: int = 0) -> int | None:
        """The payload of the packet, None where the record has none."""
        packet = self.packets.get((kind, index))
        return None if packet is None else packet.payload


_UNASSIGNED_CLASS = 3
_PER_INDEX = (Kind.ADDRESS, Kind.COUNTER, Kind.CONTEXT)


def iter_records(data: bytes, aux_offset: int, quality: Quality) -> Iterator[Record]:
    """The records of a segment's bytes that begin at `aux_offset`; counts what is lost."""
    record = Record(0)
    for offset, packet in iter_packets(data, aux_offset):
        after = offset + packet.size
        if _is_bad(packet, record):
            quality.add("spe_bad_packets")
            quality.add("spe_cut_records", int(bool(record.packets)))
            record = Record(after)
        elif packet.kind is not Kind.PADDING:
            index = packet.index if packet.kind in _PER_INDEX else 0
            record.packets[packet.kind, index] = packet
            if packet.kind in (Kind.TIMESTAMP, Kind.END):
                record.end = after
                yield record
                record = Record(after)
    quality.add("spe_cut_records", int(bool(record.packets)))


def _is_bad(packet: Packet, record: Record) -> bool:
    """Whether the packet drops the record that is being collected."""
    if packet.kind is Kind.OPERATION_TYPE:
        return packet.index == _UNASSIGNED_CLASS
    return packet.kind is Kind.BAD or (packet.kind is Kind.END and not record.packets)


def iter_rows(
    segments: Iterable[Segment],
    identity: StreamIdentity,
    *,
    time_conversion: TimeConversion | None,
    quality: Quality | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of table spe_records, in stream order, with all its columns."""
    quality = Quality() if quality is None else quality
    for segment in filter(None, segments):
        data = b"".join(piece.data.tobytes() for piece in segment)
        start = segment[0].aux_offset
        for record in iter_records(data, start, quality):
            ticks = record.payload(Kind.TIMESTAMP)
            quality.add("spe_records_without_time", int(ticks is None))
            yield {
                "source": identity.source,
                "cpu": identity.cpu,
                "tid": identity.tid,
                "aux_offset": (start + record.begin) % (1 << 64),
                "size_bytes": min(record.end - record.begin, (1 << 32) - 1),
                "timestamp_ticks": ticks,
                "time_ns": ticks_to_ns(ticks, time_conversion),
                **_address_columns(record),
                **_operation_columns(record),
                **_counter_columns(record),
                "events": record.payload(Kind.EVENTS),
                "data_source": _data_source(record),
                "context_el1": record.payload(Kind.CONTEXT, spe.ContextIndex.EL1),
                "context_el2": record.payload(Kind.CONTEXT, spe.ContextIndex.EL2),
            }


def _address_columns(record: Record) -> dict[str, int | bool | None]:
    columns: dict[str, int | bool | None] = {}
    for name, index in (
        ("pc", spe.AddressIndex.PC),
        ("branch_target", spe.AddressIndex.BRANCH_TARGET),
        ("previous_branch_target", spe.AddressIndex.PREVIOUS_BRANCH_TARGET),
    ):
        raw = record.payload(Kind.ADDRESS, index)
        columns[name] = None if raw is None else spe.sign_extend(raw)
        columns[f"{name}_exception_level"] = None if raw is None else spe.exception_level(raw)
        columns[f"{name}_ns"] = None if raw is None else spe.non_secure(raw)
    va = record.payload(Kind.ADDRESS, spe.AddressIndex.DATA_VA)
    columns["va"] = None if va is None else spe.sign_extend(va)
    columns["va_tag"] = None if va is None else spe.address_tag(va)
    pa = record.payload(Kind.ADDRESS, spe.AddressIndex.DATA_PA)
    columns["pa"] = None if pa is None else pa & spe.ADDRESS_MASK
    columns["pa_ns"] = None if pa is None else spe.non_secure(pa)
    columns["pa_checked"] = None if pa is None else spe.tag_checked(pa)
    columns["pa_tag"] = None if pa is None else spe.physical_address_tag(pa)
    return columns


def _operation_columns(record: Record) -> dict[str, int | str | None]:
    packet = record.packets.get((Kind.OPERATION_TYPE, 0))
    if packet is None:
        return {"operation_class": None, "operation_payload": None, "operation": None}
    is_store = packet.payload & spe.OPERATION_STORE
    name = {
        spe.OperationClass.OTHER: "other",
        spe.OperationClass.LOAD_STORE: "store" if is_store else "load",
        spe.OperationClass.BRANCH: "branch",
    }[spe.OperationClass(packet.index)]
    return {
        "operation_class": packet.index,
        "operation_payload": packet.payload,
        "operation": name,
    }


def _counter_columns(record: Record) -> dict[str, Any]:
    others = [
        {"index": index, "value": packet.payload}
        for (kind, index), packet in record.packets.items()
        if kind is Kind.COUNTER and index not in tuple(spe.CounterIndex)
    ]
    return {
        "total_latency_cycles": record.payload(Kind.COUNTER, spe.CounterIndex.TOTAL_LATENCY),
        "issue_latency_cycles": record.payload(Kind.COUNTER, spe.CounterIndex.ISSUE_LATENCY),
        "translation_latency_cycles": record.payload(
            Kind.COUNTER, spe.CounterIndex.TRANSLATION_LATENCY
        ),
        "other_counters": others or None,
    }


def _data_source(record: Record) -> int | None:
    payload = record.payload(Kind.DATA_SOURCE)
    return None if payload is None else payload & spe.DATA_SOURCE_MASK
