"""Records of layouts that came before are decoded as all others are, whatever is between them."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
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
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.spe.decoders import decode_by_kernel, decode_by_reference, segment_of

from spetrace.ingest.spe.header_table import Slot, header_table
from spetrace.ingest.spe.layouts import MOST_LAYOUTS, PRESENT_CODES, SIZE, add_layout, no_layouts

PACKETS = (
    lambda value: b"\0",
    lambda value: spe_address(0, value),
    lambda value: spe_address(2, value),
    lambda value: spe_address(9, value, extended=True),
    lambda value: spe_counter(1, value & 0xFFFF),
    lambda value: spe_counter(5, value & 0xFFFF),
    lambda value: spe_counter(12, value & 0xFFFF, extended=True),
    lambda value: spe_context(0, value & 0xFFFFFFFF),
    lambda value: spe_operation(1, value & 0xFF),
    lambda value: spe_operation(2, value & 0xFF),
    lambda value: spe_events(value, 8),
    lambda value: spe_data_source(value & 0xFFFF, 2),
)
ENDS = (spe_timestamp, lambda value: SPE_END)
DAMAGE = (b"", b"\xff", b"\x4b\x00", b"\x01", b"\x20\x00", b"\xb0\x01")
"""A byte that starts no packet, class 3, an end of nothing, an alignment, a cut address packet."""

layouts = st.tuples(
    st.lists(st.sampled_from(PACKETS), min_size=1, max_size=7), st.sampled_from(ENDS)
)
values = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 0x7171717171717171, 2**64 - 1]))


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Records of few layouts with payloads of their own, damaged now and then."""
    kinds = draw(st.lists(layouts, min_size=1, max_size=4))
    whole = b""
    for packets, end in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=25)):
        whole += b"".join(packet(draw(values)) for packet in packets) + end(draw(values))
        if draw(st.integers(0, 7)) == 0:
            whole += draw(st.sampled_from(DAMAGE))
    return whole[: draw(st.integers(1, len(whole)))] if draw(st.booleans()) else whole


@settings(deadline=None, max_examples=150)
@given(
    data=streams(),
    aux_offset=st.sampled_from([0, 3, (1 << 64) - 100]),
    batch_rows=st.sampled_from([1, 2, 5, 4096]),
    cut=st.floats(0, 1),
)
def test_streams_of_few_layouts_are_decoded_as_by_the_reference(
    data: bytes, aux_offset: int, batch_rows: int, cut: float
) -> None:
    segments = [segment_of(data, aux_offset, [int(cut * len(data))])]
    assert decode_by_kernel(segments, batch_rows=batch_rows) == decode_by_reference(segments)


def test_more_layouts_than_are_kept() -> None:
    records = [b"\0" * n + spe_operation(0, n) + spe_timestamp(n) for n in range(2 * MOST_LAYOUTS)]
    data = b"".join(records) * 3 + b"\0" * 80
    segments = [segment_of(data)]
    rows, counts = decode_by_kernel(segments)
    assert (rows, counts) == decode_by_reference(segments)
    assert len(rows) == 3 * len(records)
    assert counts == {}


@pytest.mark.parametrize("longer", [0, 1])
def test_the_longest_record_with_a_layout_and_one_byte_more(longer: int) -> None:
    def record(ticks: int) -> bytes:
        return b"\0" * (46 + longer) + spe_address(0, ticks) + spe_timestamp(ticks)

    segments = [segment_of(b"".join(map(record, range(20))) + b"\0" * 100)]
    rows, counts = decode_by_kernel(segments)
    assert (rows, counts) == decode_by_reference(segments)
    assert [row["size_bytes"] for row in rows] == [64 + longer] * 20


def test_a_payload_that_looks_like_headers_is_none() -> None:
    records = [
        spe_address(0, int.from_bytes(bytes([header] * 8), "little")) + spe_timestamp(header)
        for header in range(256)
    ]
    segments = [segment_of(b"".join(records))]
    assert decode_by_kernel(segments) == decode_by_reference(segments)


def test_a_layout_says_where_headers_are() -> None:
    record = b"\0" + spe_operation(1, 0xAB) + spe_counter(1, 7) + spe_timestamp(9)
    kept = no_layouts()
    table = header_table(frozenset({Slot.OPERATION}))
    assert add_layout(kept, 0, np.frombuffer(record, np.uint8), table) == 1
    at_headers = kept.masks[0].view(np.uint8)
    assert np.flatnonzero(at_headers).tolist() == [0, 1, 3, 6]
    assert kept.headers[0].tobytes()[:7] == b"\0\x49\0\x99\0\0\x71"
    codes = (Slot.OPERATION, Slot.IGNORED, Slot.TIMESTAMP)
    assert kept.facts[0].tolist() == [15, reduce(add, (1 << code for code in codes)), 2]
    assert kept.facts[0, [SIZE, PRESENT_CODES]].tolist() == kept.facts[0, :2].tolist()
    assert kept.payloads[0, :2].tolist() == [
        [Slot.OPERATION, 2, 0xFF, 1 << 8],
        [Slot.TIMESTAMP, 7, 2**64 - 1, 0],
    ]
