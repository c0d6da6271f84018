"""One case per row of the packet tables: bytes to perf's words."""

from __future__ import annotations

import pytest
from builders import (
    spe_address,
    spe_context,
    spe_counter,
    spe_data_source,
    spe_events,
    spe_operation,
    spe_timestamp,
)

from spetrace.ingest.spe.packet_text import named_events, render_packet
from spetrace.ingest.spe.packets import next_packet

NEOVERSE_N1 = 0x413FD0C1
NEOVERSE_V1 = 0x411FD401


def text(data: bytes, midr: int | None = None) -> str:
    packet = next_packet(data, 0, 0)
    assert packet.size == len(data)
    return render_packet(packet, named_events(midr))


PACKETS = [
    (b"\x00", "PAD"),
    (b"\x01", "END"),
    (b"\x90", "Bad packet!"),
    (spe_timestamp(0x1122334455667788), "TS 1234605616436508552"),
    (spe_timestamp((1 << 64) - 2), "TS -2"),
    (spe_address(0, 0xC0FF_8000_8008_1000), "PC 0xff800080081000 el2 ns=1"),
    (spe_address(0, 0x8000_FFFF_125B_8DE0), "PC 0xffff125b8de0 el0 ns=1"),
    (spe_address(1, 0x2000_0000_0040_9A40), "TGT 0x409a40 el1 ns=0"),
    (spe_address(1, 0xFFFF_0000_0837_DD60), "TGT 0xff00000837dd60 el3 ns=1"),
    (spe_address(2, 0x3400_DEAD_BED3_F008), "VA 0x3400deadbed3f008"),
    (spe_address(3, 0xC200_0008_813A_2BC0), "PA 0x8813a2bc0 ns=1 ch=1 pat=2"),
    (spe_address(3, 0x0F00_0000_0000_0000), "PA 0x0 ns=0 ch=0 pat=f"),
    (spe_address(4, 0xC0FF_8000_4BD0_0118), "PBT 0xff80004bd00118 el2 ns=1"),
    (spe_address(4, 0xA0FF_8000_4BD0_0118, extended=True), "PBT 0xff80004bd00118 el1 ns=1"),
    (spe_address(7, 0x1234), "ADDR 0x1234 (7)"),
    (spe_address(16, 0), "ADDR 0x0 (16)"),
    (spe_counter(0, 44), "LAT 44 TOT"),
    (spe_counter(1, 65535), "LAT 65535 ISSUE"),
    (spe_counter(2, 1), "LAT 1 XLAT"),
    (spe_counter(3, 7, extended=True), "LAT 7 "),
    (spe_counter(8, 3), "LAT 3 "),
    (spe_counter(0, 5, extended=True), "LAT 5 TOT"),
    (spe_context(0, 0x5BB), "CONTEXT 0x5bb el1"),
    (spe_context(1, 42), "CONTEXT 0x2a el2"),
    (spe_context(2, 1), "CONTEXT 0x1 el3"),
    (spe_data_source(0), "DATA-SOURCE 0"),
    (spe_data_source(14), "DATA-SOURCE 14"),
    (spe_data_source(301, 2), "DATA-SOURCE 301"),
    (spe_data_source(0x1_0000, 4), "DATA-SOURCE 65536"),
    (spe_data_source((1 << 64) - 1, 8), "DATA-SOURCE -1"),
]

OPERATIONS = [
    (0, 0x00, "OTHER INSN-OTHER"),
    (0, 0x01, "OTHER COND-SELECT"),
    (0, 0x06, "OTHER ASE FP INSN-OTHER"),
    (0, 0x07, "OTHER ASE FP COND-SELECT"),
    (0, 0x08, "SVE-OTHER EVLEN 32"),
    (0, 0x1E, "SVE-OTHER EVLEN 64 FP PRED"),
    (0, 0x7C, "SVE-OTHER EVLEN 4096 PRED"),
    (0, 0x88, "SME-OTHER ETS 128"),
    (0, 0x9E, "SME-OTHER ETS 1024 FP"),
    (0, 0xFC, "SME-OTHER ETS 4194304"),
    (0, 0x10, ""),
    (0, 0x09, ""),
    (1, 0x00, "LD GP-REG"),
    (1, 0x01, "ST GP-REG"),
    (1, 0x04, "LD SIMD-FP"),
    (1, 0x05, "ST SIMD-FP"),
    (1, 0x10, "LD UNSPEC-REG"),
    (1, 0x30, "LD NV-SYSREG"),
    (1, 0x14, "LD MTE-TAG"),
    (1, 0x20, "LD MEMCPY"),
    (1, 0x21, "ST MEMCPY"),
    (1, 0x25, "ST MEMSET"),
    (1, 0x24, "LD"),
    (1, 0x02, "LD"),
    (1, 0x0B, "ST EXCL"),
    (1, 0x16, "LD AT AR"),
    (1, 0x1E, "LD AT EXCL AR"),
    (1, 0x08, "LD SVE-SME-REG EVLEN 32"),
    (1, 0x9C, "LD SVE-SME-REG EVLEN 64 PRED SG"),
    (1, 0x1D, "ST SVE-SME-REG EVLEN 64 PRED"),
    (1, 0x40, "LD GCS"),
    (1, 0x45, "ST GCS COMM"),
    (2, 0x00, "B"),
    (2, 0x01, "B COND"),
    (2, 0x02, "B IND"),
    (2, 0x04, "B GCS"),
    (2, 0x0A, "B IND CR-BL"),
    (2, 0x12, "B IND CR-RET"),
    (2, 0x1A, "B IND CR-NON-BL-RET"),
    (2, 0x1F, "B COND IND GCS CR-NON-BL-RET"),
    (3, 0x2A, "OP-TYPE 0x2a (3)"),
]

EVENTS = [
    (0x00, 1, "EV"),
    (0x02, 1, "EV RETIRED"),
    (0x16, 2, "EV RETIRED L1D-ACCESS TLB-ACCESS"),
    (0x42, 2, "EV RETIRED NOT-TAKEN"),
    (0x29, 1, "EV EXCEPTION-GEN L1D-REFILL TLB-REFILL"),
    (0x712, 4, "EV RETIRED TLB-ACCESS LLC-ACCESS LLC-REFILL REMOTE-ACCESS"),
    (0x800, 2, "EV ALIGNMENT"),
    (0x1_0000, 4, "EV TXN"),
    (0x6_0082, 4, "EV RETIRED MISPRED SVE-PARTIAL-PRED SVE-EMPTY-PRED"),
    (0x80_0000, 4, "EV SNOOPED"),
    (
        0x378_0016,
        8,
        "EV RETIRED L1D-ACCESS TLB-ACCESS L2D-ACCESS L2D-MISS HITM LFB STREAMING-SVE SMCU",
    ),
    (0x1002, 2, "EV RETIRED IMPDEF:12"),
    (1 << 63 | 1 << 32 | 1 << 26 | 0xF000, 8, "EV IMPDEF:12,13,14,15,26,32,63"),
]


@pytest.mark.parametrize(("data", "expected"), PACKETS, ids=lambda v: getattr(v, "hex", str)())
def test_packet_text(data: bytes, expected: str) -> None:
    assert text(data) == expected


@pytest.mark.parametrize(("operation_class", "payload", "expected"), OPERATIONS)
def test_operation_text(operation_class: int, payload: int, expected: str) -> None:
    assert text(spe_operation(operation_class, payload)) == expected


@pytest.mark.parametrize(("events", "size", "expected"), EVENTS)
def test_events_text(events: int, size: int, expected: str) -> None:
    assert text(spe_events(events, size)) == expected
    assert text(spe_events(events, 8)) == expected


def test_implementation_defined_event_of_a_known_cpu() -> None:
    data = spe_events(1 << 25 | 1 << 12 | 1 << 13, 4)
    assert text(data, NEOVERSE_N1) == "EV SMCU LATE-PREFETCH IMPDEF:13"
    assert text(data, NEOVERSE_V1) == "EV SMCU IMPDEF:12,13"
