"""For any bytes the compiled decoder equals the plain-Python one, however they are cut."""

from __future__ import annotations

import numpy as np
import pytest
from builders import (
    SPE_END,
    SPE_PADDING,
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

from spetrace.ingest.spe.packets import Kind, iter_packets
from spetrace.ingest.spe.timestamps import ticks_array_to_ns, ticks_to_ns
from spetrace.tables.recording import TimeConversion

U64 = (1 << 64) - 1
words = st.integers(0, U64)
sizes = st.sampled_from([1, 2, 4, 8])
packets = st.one_of(
    st.integers(1, 30).map(lambda n: SPE_PADDING * n),
    st.just(SPE_END),
    st.builds(spe_timestamp, words),
    st.builds(spe_address, st.integers(0, 5), words, extended=st.booleans()),
    st.builds(spe_address, st.integers(0, 31), words),
    st.builds(spe_counter, st.integers(0, 31), st.integers(0, 0xFFFF), extended=st.booleans()),
    st.builds(spe_context, st.integers(0, 3), st.integers(0, 0xFFFFFFFF)),
    st.builds(spe_operation, st.integers(0, 2), st.integers(0, 255)),
    st.builds(lambda size, word: spe_events(word % (1 << 8 * size), size), sizes, words),
    st.builds(lambda size, word: spe_data_source(word % (1 << 8 * size), size), sizes, words),
    st.sampled_from([b"\x20\x00", b"\x21\x00", b"\x22\x00", b"\x23\x00"]),
)
damage = st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from([b"\x4b\x01", b"\x23"]))
streams = st.one_of(
    st.binary(max_size=80),
    st.lists(packets, max_size=40).map(b"".join),
    st.lists(st.one_of(packets, packets, packets, damage), max_size=40).map(b"".join),
)
offsets = st.one_of(st.just(0), st.integers(0, 64), st.integers(U64 - 64, U64))
conversions = st.one_of(
    st.none(),
    st.builds(
        TimeConversion, st.integers(0, 70), words, words, words, words, st.booleans()
    ),
)  # fmt: skip
QUICK = settings(deadline=None, max_examples=150)


@QUICK
@given(st.lists(st.tuples(streams, offsets), max_size=3), conversions, st.integers(1, 9))
def test_kernel_equals_reference(
    parts: list[tuple[bytes, int]], conversion: TimeConversion | None, batch_rows: int
) -> None:
    segments = [segment_of(data, offset) for data, offset in parts]
    expected = decode_by_reference(segments, conversion)
    assert decode_by_kernel(segments, conversion, batch_rows) == expected


@QUICK
@given(streams, offsets, st.lists(st.integers(0, 200), max_size=6), st.integers(1, 9))
def test_any_pieces_give_the_same_rows(
    data: bytes, offset: int, cuts: list[int], batch_rows: int
) -> None:
    cuts = sorted(min(cut, len(data)) for cut in cuts)
    whole = decode_by_kernel([segment_of(data, offset)])
    assert decode_by_kernel([segment_of(data, offset, cuts)], batch_rows=batch_rows) == whole


@QUICK
@given(streams, offsets)
def test_records_tile_the_stream_up_to_bad_bytes(data: bytes, offset: int) -> None:
    rows, counts = decode_by_kernel([segment_of(data, offset)])
    ends = [0]
    for row in rows:
        begin = (row["aux_offset"] - offset) & U64
        assert begin >= ends[-1]
        assert row["size_bytes"] > 0
        ends.append(begin + row["size_bytes"])
    assert ends[-1] <= len(data)
    bad = sum(packet.kind is Kind.BAD for _, packet in iter_packets(data, offset))
    assert counts.get("spe_bad_packets", 0) >= bad


@pytest.mark.parametrize("first", range(256))
def test_every_pair_of_bytes_decodes_alike(first: int) -> None:
    tail = bytes(range(1, 20)) + spe_timestamp(3)
    segments = [segment_of(bytes([first, second]) + tail, first) for second in range(256)]
    assert decode_by_kernel(segments) == decode_by_reference(segments)


@QUICK
@given(st.lists(words, min_size=1, max_size=8), conversions.filter(lambda c: c is not None))
def test_ticks_of_an_array_as_one_by_one(ticks: list[int], conversion: TimeConversion) -> None:
    times = ticks_array_to_ns(np.array(ticks, np.uint64), conversion)
    assert times.tolist() == [ticks_to_ns(tick, conversion) for tick in ticks]
