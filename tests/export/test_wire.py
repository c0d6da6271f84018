from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from spetrace.export.wire import encode_varints, integer_field, message_field, side_by_side

UNSIGNED = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20)
SIGNED = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20)
EDGES = [0, 1, 127, 128, 2**14 - 1, 2**14, 2**32, 2**63 - 1, 2**63, 2**64 - 1]


def test_varints_at_the_edges_of_their_lengths() -> None:
    lengths = encode_varints(np.array(EDGES, np.uint64)).lengths()
    assert lengths.tolist() == [1, 1, 1, 2, 2, 3, 5, 9, 10, 10]


def test_no_rows_are_no_bytes() -> None:
    assert integer_field(8, np.zeros(0, np.uint64)).joined() == b""


@given(UNSIGNED)
@settings(deadline=None, max_examples=50)
def test_unsigned_fields_are_the_package_s_bytes(values: list[int]) -> None:
    expected = b"".join(pb.TracePacket(timestamp=v).SerializeToString() for v in values)
    assert integer_field(8, np.array(values, np.uint64)).joined() == expected


@given(SIGNED)
@settings(deadline=None, max_examples=50)
def test_signed_fields_are_the_package_s_bytes(values: list[int]) -> None:
    expected = b"".join(pb.DebugAnnotation(int_value=v).SerializeToString() for v in values)
    assert integer_field(4, np.array(values, np.int64)).joined() == expected


@given(UNSIGNED, st.data())
@settings(deadline=None, max_examples=50)
def test_messages_with_absent_fields_are_the_package_s_bytes(
    values: list[int], data: st.DataObject
) -> None:
    """Of each row a message with its value, or an empty message."""
    present = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    field = integer_field(11, np.array(values, np.uint64)).where(np.array(present))
    expected = b"".join(
        pb.TracePacket(track_event=pb.TrackEvent(track_uuid=v) if p else pb.TrackEvent())
        .SerializeToString()
        for v, p in zip(values, present, strict=True)
    )  # fmt: skip
    assert message_field(11, side_by_side([field])).joined() == expected
