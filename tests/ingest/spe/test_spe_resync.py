"""Where records begin and end: padding, errors, cut packets, pieces and segments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import (
    SPE_END,
    spe_address,
    spe_context,
    spe_counter,
    spe_events,
    spe_load_record,
    spe_operation,
    spe_timestamp,
)
from ingest.spe.decoders import Decoder, segment_of

from spetrace.ingest.spe import raw_records
from spetrace.ingest.spe.header_table import header_table
from spetrace.ingest.spe.kernel import FULL, decode_window
from spetrace.ingest.spe.layouts import no_layouts
from spetrace.ingest.spe.windows import iter_windows

END = spe_events(2, 1) + SPE_END

FULL_LOAD = bytes.fromhex(
    "b0 00 10 08 80 00 80 ff c0  65 2a 00 00 00  49 00  52 16 00  b2 40 5c e2 0d 00 00 ff 00"
    "9a 01 00  98 2c 00  99 05 00  43 00  b3 40 5c e2 8d 08 00 00 80"
    "71 88 77 66 55 44 33 22 11  00 00 00 00 00 00 00"
)
BRANCH_WITHOUT_TIME = bytes.fromhex(
    "b0 e0 8d 5b 12 ff ff 00 80  4a 01  52 42 00  b1 40 9a 40 00 00 00 00 80  98 05 00  01"
    "00 00 00 00 00"
)


def present(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v is not None and k not in ("source", "cpu")}


def extents(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(row["aux_offset"], row["size_bytes"]) for row in rows]


def test_load_with_everything(decode: Decoder) -> None:
    (row,), counts = decode([segment_of(FULL_LOAD)])
    assert present(row) == {
        "aux_offset": 0,
        "size_bytes": len(FULL_LOAD) - 7,
        "timestamp_ticks": 0x1122334455667788,
        "pc": 0xFFFF800080081000,
        "pc_exception_level": 2,
        "pc_ns": True,
        "va": 0xFFFF00000DE25C40,
        "va_tag": 0,
        "pa": 0x88DE25C40,
        "pa_ns": True,
        "pa_checked": False,
        "pa_tag": 0,
        "operation_class": 1,
        "operation_payload": 0,
        "operation": "load",
        "events": 0x16,
        "total_latency_cycles": 44,
        "issue_latency_cycles": 5,
        "translation_latency_cycles": 1,
        "data_source": 0,
        "context_el2": 0x2A,
    }
    assert counts == {}


def test_branch_without_timestamp(decode: Decoder) -> None:
    (row,), counts = decode([segment_of(BRANCH_WITHOUT_TIME)])
    assert present(row) == {
        "aux_offset": 0,
        "size_bytes": len(BRANCH_WITHOUT_TIME) - 5,
        "pc": 0xFFFF125B8DE0,
        "pc_exception_level": 0,
        "pc_ns": True,
        "branch_target": 0x409A40,
        "branch_target_exception_level": 0,
        "branch_target_ns": True,
        "operation_class": 2,
        "operation_payload": 1,
        "operation": "branch",
        "events": 0x42,
        "total_latency_cycles": 5,
    }
    assert counts == {"spe_records_without_time": 1}


def test_padding_counts_with_the_record_after_it(decode: Decoder) -> None:
    rows, counts = decode([segment_of(FULL_LOAD + BRANCH_WITHOUT_TIME, aux_offset=1000)])
    assert extents(rows) == [
        (1000, len(FULL_LOAD) - 7),
        (1000 + len(FULL_LOAD) - 7, 7 + len(BRANCH_WITHOUT_TIME) - 5),
    ]
    assert counts == {"spe_records_without_time": 1}


@pytest.mark.parametrize(
    ("data", "expected", "bad", "cut"),
    [
        ("02 42 02 01", [(1, 3, 2)], 1, 0),
        ("f8 01", [], 2, 0),
        ("64 2a 00", [], 2, 0),
        ("71 01 02 03", [], 4, 0),
        ("20 00 00 00", [], 0, 0),
        ("23 00" + "ff" * 14 + "42 02 01", [(0, 19, 2)], 0, 0),
        ("20", [], 1, 0),
        ("23 00" + "00" * 13, [], 1, 0),
        ("20 01", [], 2, 0),
        ("42 02 ff 42 04 01", [(3, 3, 4)], 1, 1),
        ("42 02 4b 00 42 04 01", [(4, 3, 4)], 1, 1),
        ("4b", [], 1, 0),
        ("42 02 4b", [], 1, 1),
        ("4b 01 01", [], 2, 0),
        ("42 02", [], 0, 1),
        ("66 01 00 00 00", [], 0, 1),
        ("42 02 b0 00", [], 1, 1),
        ("00 00 00", [], 0, 0),
        ("", [], 0, 0),
    ],
)
def test_errors_and_resynchronisation(
    data: str, expected: list[tuple[int, int, int | None]], bad: int, cut: int, decode: Decoder
) -> None:
    rows, counts = decode([segment_of(bytes.fromhex(data))])
    assert [(*extent, row["events"]) for extent, row in zip(extents(rows), rows, strict=True)] == (
        expected
    )
    losses = {"spe_bad_packets": bad, "spe_cut_records": cut, "spe_records_without_time": len(rows)}
    assert counts == {name: count for name, count in losses.items() if count}


def test_rest_of_a_damaged_record_is_a_record_without_pc(decode: Decoder) -> None:
    damaged = bytearray(FULL_LOAD)
    damaged[14] = 0xFF  # the operation type's header; its payload is padding then
    rows, counts = decode([segment_of(bytes(damaged) + FULL_LOAD)])
    assert [row["pc"] for row in rows] == [None, 0xFFFF800080081000]
    assert extents(rows)[0] == (15, len(FULL_LOAD) - 7 - 15)
    assert rows[0]["timestamp_ticks"] == 0x1122334455667788
    assert counts == {"spe_bad_packets": 1, "spe_cut_records": 1}


def test_dropped_record_leaves_no_counters(decode: Decoder) -> None:
    data = spe_counter(8, 1) + b"\xff" + spe_counter(9, 2) + spe_operation(3, 0) + END
    rows, _ = decode([segment_of(data), segment_of(spe_counter(10, 3)), segment_of(END)])
    assert [row["other_counters"] for row in rows] == [None, None]


def test_any_two_pieces_give_the_same_rows(decode: Decoder) -> None:
    extended = spe_address(4, 3, extended=True) + spe_counter(31, 5) + bytes.fromhex("2200") + b"ab"
    data = FULL_LOAD + extended + spe_events(5, 8) + spe_timestamp(7) + BRANCH_WITHOUT_TIME
    whole = decode([segment_of(data)])
    assert len(whole[0]) == 3
    for cut in range(len(data) + 1):
        assert decode([segment_of(data, cuts=[cut])]) == whole


def test_pieces_of_one_byte_give_the_same_rows(decode: Decoder) -> None:
    data = FULL_LOAD + b"\xff" + BRANCH_WITHOUT_TIME + FULL_LOAD[:20]
    cuts = range(1, len(data))
    assert decode([segment_of(data, cuts=cuts)]) == decode([segment_of(data)])


def test_nothing_goes_on_in_the_next_segment(decode: Decoder) -> None:
    record = spe_context(0, 1) + spe_timestamp(2)
    rows, counts = decode([segment_of(record[:5]), (), segment_of(record[5:], aux_offset=64)])
    assert [(row["context_el1"], row["timestamp_ticks"]) for row in rows] == [(None, 2)]
    assert extents(rows) == [(64, 9)]
    assert counts == {"spe_cut_records": 1}


def test_offsets_wrap_at_64_bits(decode: Decoder) -> None:
    record = spe_operation(0, 0) + SPE_END
    rows, _ = decode([segment_of(record * 3, aux_offset=(1 << 64) - 4)])
    assert extents(rows) == [((1 << 64) - 4, 3), ((1 << 64) - 1, 3), (2, 3)]


def test_size_of_a_record_is_at_most_32_bits() -> None:
    records = raw_records.allocate(1)
    state = np.zeros(raw_records.STATE_ENTRIES, np.uint64)
    state[raw_records.AT] = 1 << 33  # as after 8 GiB of padding
    (_, _, last) = iter_windows(segment_of(spe_events(2, 1) + SPE_END, aux_offset=1 << 33))
    assert decode_window(last, header_table(), records, no_layouts(), state) == FULL
    assert records.sizes[0] == (1 << 32) - 1


def test_builders_lay_out_a_neoverse_record(decode: Decoder) -> None:
    rows, counts = decode([segment_of(spe_load_record(5, 0xFF800000000000, 0x1000) * 2)])
    assert extents(rows) == [(0, 64), (64, 64)]
    assert counts == {}
