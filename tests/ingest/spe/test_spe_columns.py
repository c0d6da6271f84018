"""What each packet puts into the columns of a record, by both decoders."""

from __future__ import annotations

from typing import Any

import pytest
from builders import (
    SPE_END,
    spe_address,
    spe_context,
    spe_counter,
    spe_data_source,
    spe_events,
    spe_operation,
    spe_timestamp,
)
from ingest.spe.decoders import IDENTITY, Decoder, segment_of

from spetrace.tables.recording import TimeConversion
from spetrace.tables.spe_records import SPE_RECORDS

ALWAYS = {"source", "cpu", "aux_offset", "size_bytes"}


def columns_of(decode: Decoder, packets: bytes) -> dict[str, Any]:
    """The columns that are not null in a record of `packets`, but for those all records have."""
    rows, _ = decode([segment_of(packets + SPE_END)])
    assert len(rows) == 1
    assert set(rows[0]) == set(SPE_RECORDS.names)
    assert rows[0]["size_bytes"] == len(packets) + 1
    return {k: v for k, v in rows[0].items() if v is not None and k not in ALWAYS}


def test_end_of_an_empty_record_makes_no_row(decode: Decoder) -> None:
    assert decode([segment_of(SPE_END)]) == ([], {"spe_bad_packets": 1})


def test_record_of_ignored_packets_has_no_columns(decode: Decoder) -> None:
    assert columns_of(decode, spe_context(2, 1)) == {}


def test_identity_columns(decode: Decoder) -> None:
    (row,), _ = decode([segment_of(spe_events(2, 1) + SPE_END, aux_offset=77)])
    assert (row["source"], row["cpu"], row["tid"]) == (IDENTITY.source, IDENTITY.cpu, None)
    assert (row["aux_offset"], row["size_bytes"]) == (77, 3)


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(
    ("index", "name"), [(0, "pc"), (1, "branch_target"), (4, "previous_branch_target")]
)
@pytest.mark.parametrize(
    ("payload", "address", "level", "ns"),
    [
        (0xC0FF800080081000, 0xFFFF800080081000, 2, True),
        (0x8000FFFF125B8DE0, 0x0000FFFF125B8DE0, 0, True),
        (0x207FFFFFFFFFFFFF, 0x007FFFFFFFFFFFFF, 1, False),
        (0x7F80000000000000, 0xFF80000000000000, 3, False),
        (0, 0, 0, False),
    ],
)
def test_instruction_address(
    index: int,
    name: str,
    payload: int,
    address: int,
    level: int,
    ns: bool,
    extended: bool,
    decode: Decoder,
) -> None:
    columns = columns_of(decode, spe_address(index, payload, extended=extended))
    assert columns == {name: address, f"{name}_exception_level": level, f"{name}_ns": ns}


@pytest.mark.parametrize(
    ("packet", "va", "tag"),
    [
        ("b2 40 5c e2 0d 00 00 ff 00", 0xFFFF00000DE25C40, 0x00),
        ("b2 08 f0 d3 be ad de 00 34", 0x0000DEADBED3F008, 0x34),
        ("20 b2 00 00 00 00 00 00 80 ff", 0xFF80000000000000, 0xFF),
    ],
)
def test_data_virtual_address(packet: str, va: int, tag: int, decode: Decoder) -> None:
    assert columns_of(decode, bytes.fromhex(packet)) == {"va": va, "va_tag": tag}


@pytest.mark.parametrize(
    ("packet", "pa", "ns", "checked", "tag"),
    [
        ("b3 40 5c e2 8d 08 00 00 80", 0x88DE25C40, True, False, 0),
        ("b3 c0 2b 3a 81 08 00 00 c2", 0x8813A2BC0, True, True, 2),
        ("20 b3 ff ff ff ff ff ff ff 3f", 0x00FFFFFFFFFFFFFF, False, False, 15),
    ],
)
def test_data_physical_address(
    packet: str, pa: int, ns: bool, checked: bool, tag: int, decode: Decoder
) -> None:
    assert columns_of(decode, bytes.fromhex(packet)) == {
        "pa": pa,
        "pa_ns": ns,
        "pa_checked": checked,
        "pa_tag": tag,
    }


@pytest.mark.parametrize("index", [5, 6, 7, 8, 11, 16, 31])
def test_address_of_unknown_index_is_ignored(index: int, decode: Decoder) -> None:
    assert columns_of(decode, spe_address(index, 1)) == {}


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "total_latency_cycles"),
        (1, "issue_latency_cycles"),
        (2, "translation_latency_cycles"),
    ],
)
@pytest.mark.parametrize("value", [0, 0x0102, 0xFFFF])
def test_named_counter(index: int, name: str, value: int, extended: bool, decode: Decoder) -> None:
    assert columns_of(decode, spe_counter(index, value, extended=extended)) == {name: value}


@pytest.mark.parametrize("index", range(3, 32))
def test_other_counter(index: int, decode: Decoder) -> None:
    expected = {"other_counters": [{"index": index, "value": 0x1234}]}
    assert columns_of(decode, spe_counter(index, 0x1234)) == expected
    assert columns_of(decode, spe_counter(index, 0x1234, extended=True)) == expected


def test_other_counters_in_order_and_the_last_of_an_index(decode: Decoder) -> None:
    packets = spe_counter(9, 1) + spe_counter(3, 2) + spe_counter(9, 3)
    expected = [{"index": 9, "value": 3}, {"index": 3, "value": 2}]
    assert columns_of(decode, packets) == {"other_counters": expected}


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_events_of_each_size(size: int, decode: Decoder) -> None:
    events = 0xF7E6D5C4B3A29186 & ((1 << 8 * size) - 1)
    assert columns_of(decode, spe_events(events, size)) == {"events": events}


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_data_source_of_each_size_is_kept_to_16_bits(size: int, decode: Decoder) -> None:
    recorded = 0xF7E6D5C4B3A29186 & ((1 << 8 * size) - 1)
    expected = {"data_source": recorded & 0xFFFF}
    assert columns_of(decode, spe_data_source(recorded, size)) == expected


def test_contexts(decode: Decoder) -> None:
    assert columns_of(decode, spe_context(0, 0xFFFFFFFF)) == {"context_el1": 0xFFFFFFFF}
    assert columns_of(decode, spe_context(1, 0x2A)) == {"context_el2": 0x2A}
    assert columns_of(decode, spe_context(2, 1) + spe_context(3, 1)) == {}


@pytest.mark.parametrize(
    ("class_", "payload", "name"),
    [
        (0, 0x00, "other"),
        (0, 0x01, "other"),
        (0, 0x9E, "other"),
        (1, 0x00, "load"),
        (1, 0x1E, "load"),
        (1, 0x01, "store"),
        (1, 0xFF, "store"),
        (2, 0x00, "branch"),
        (2, 0x1B, "branch"),
    ],
)
def test_operation(class_: int, payload: int, name: str, decode: Decoder) -> None:
    assert columns_of(decode, spe_operation(class_, payload)) == {
        "operation_class": class_,
        "operation_payload": payload,
        "operation": name,
    }


def test_timestamp_closes_the_record(decode: Decoder) -> None:
    ticks = 0xFEDCBA9876543210
    rows, counts = decode([segment_of(spe_context(0, 7) + spe_timestamp(ticks))])
    assert [(row["timestamp_ticks"], row["context_el1"]) for row in rows] == [(ticks, 7)]
    assert counts == {}


def test_time_needs_a_timestamp_and_a_conversion(decode: Decoder) -> None:
    conversion = TimeConversion(shift=10, multiplier=40960, zero=1000)
    segments = [segment_of(spe_timestamp(1000000) + spe_events(2) + SPE_END)]
    rows, counts = decode(segments, conversion)
    assert [row["time_ns"] for row in rows] == [40001000, None]
    assert counts == {"spe_records_without_time": 1}
    assert [row["time_ns"] for row in decode(segments)[0]] == [None, None]


def test_last_packet_of_a_kind_counts(decode: Decoder) -> None:
    columns = columns_of(
        decode,
        b"".join(
            (
                spe_operation(1, 1),
                spe_operation(2, 2),
                spe_events(0xFFFF),
                spe_events(1, 1),
                spe_address(3, 1 << 63),
                spe_address(3, 5, extended=True),
                spe_counter(0, 9),
                spe_counter(0, 8),
                spe_data_source(0x100, 2),
                spe_data_source(2),
                spe_context(1, 3),
                spe_context(1, 4),
            )
        ),
    )
    assert columns == {
        "operation_class": 2,
        "operation_payload": 2,
        "operation": "branch",
        "events": 1,
        "pa": 5,
        "pa_ns": False,
        "pa_checked": False,
        "pa_tag": 0,
        "total_latency_cycles": 8,
        "data_source": 2,
        "context_el2": 4,
    }


def test_nothing_of_a_record_remains_in_the_next(decode: Decoder) -> None:
    full = spe_address(0, 1) + spe_operation(1, 0) + spe_counter(5, 5) + spe_events(2)
    rows, _ = decode(
        [segment_of(full + SPE_END + spe_context(2, 1) + SPE_END + spe_counter(4, 4) + SPE_END)]
    )
    assert [row["pc"] for row in rows] == [1, None, None]
    assert [row["operation"] for row in rows] == ["load", None, None]
    assert [row["other_counters"] for row in rows] == [
        [{"index": 5, "value": 5}],
        None,
        [{"index": 4, "value": 4}],
    ]
